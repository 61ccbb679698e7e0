<?php
/*
 * The lock file as the plugin's own page draws it: look, remove what is stale, then write. It is
 * here to show what that is worth, and is kinder than it has to be: an empty file, which a writer
 * leaves for a moment between truncating and writing, is not taken for a stale one and removed.
 */
final class SeedLock
{
	private string $path;

	public function __construct(string $path)
	{
		$this->path = $path;
	}

	private function isActive(): bool
	{
		$text = @file_get_contents($this->path);
		if ($text === false || $text === '')
			return false;
		[$pid, $time] = explode('|', $text);
		if (time() - (int) $time <= 600 && (!function_exists('posix_kill') || posix_kill((int) $pid, 0)))
			return true;
		$this->release();
		return false;
	}

	public function acquire(): bool
	{
		return !$this->isActive() &&
			file_put_contents($this->path, getmypid() . '|' . time(), LOCK_EX) !== false;
	}

	public function release(): void
	{
		@unlink($this->path);
	}
}
