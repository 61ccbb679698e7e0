<?php
/*
 * As much of WordPress as the plugin's lock needs: transients, in a folder instead of the
 * options table, and the lock that the plugin has today. As there, a reader deletes what expired, and
 * nothing is atomic but each write. $STORE is the folder.
 */
function transient_path(string $name): string
{
	return getenv('STORE') . "/$name.transient";
}

function get_transient(string $name)
{
	$text = @file_get_contents(transient_path($name));
	if ($text === false)
		return false;
	[$expires, $value] = explode(' ', $text, 2);
	if ($expires >= time())
		return $value;
	delete_transient($name);
	return false;
}

function set_transient(string $name, $value, int $seconds): bool
{
	$path = transient_path($name);
	$new = $path . '.' . getmypid();
	return file_put_contents($new, time() + $seconds . ' ' . $value) && rename($new, $path);
}

function delete_transient(string $name): bool
{
	return @unlink(transient_path($name));
}

final class TransientLock
{
	public function acquire(): bool
	{
		if (get_transient('aistma_generating_lock'))
			return false;
		/* There, up to 30 s of HTTP. */
		return set_transient('aistma_generating_lock', true, 600);
	}

	public function release(): void
	{
		delete_transient('aistma_generating_lock');
	}
}
