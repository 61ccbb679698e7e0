<?php
/*
 * A lock file that PHP, `locktop run` and flock(1) respect alike: record LT1, as a peer.
 *
 *     $lock = new LocktopLock('/var/lib/aistma/locks/generation.lock');
 *     if (!$lock->acquire())
 *         return;                  // busy: somebody else is at work, and that is fine
 *     try {
 *         foreach ($prompts as $prompt) {
 *             if (!$lock->renew()) // at least every 200 s; false: the lock is lost, stop
 *                 return;
 *             generate($prompt);
 *         }
 *     } finally {
 *         $lock->release();
 *     }
 *
 * The kernel's flock is kept for the whole hold. When PHP is killed, or ends a request by a fatal
 * error, the kernel drops it, and the next acquire() takes the lock over at once, though the
 * record still stands there and a pool worker of that pid may live on. The file stays: it is
 * emptied, never removed, so a waiter cannot wake up on a file that has no name any more.
 *
 * The folder has to be on a local disk and writable by its users only. PHP 7.4 or later; posix is
 * used when there. License: GPL-2.0-or-later.
 */
final class LocktopLock
{
	private const PLAIN_LIMIT = 600; /* seconds a record without a flock counts */
	private const GRACE = 2;         /* seconds somebody may take to write a record */

	private string $path;
	private int $lease;
	private $handle = null;
	private int $owner = 0;
	private string $identity = '', $record = '';

	public function __construct(string $path, int $lease = 600)
	{
		/* Absolute, for a destructor may run in another working directory. */
		$this->path = $path[0] === '/' ? $path : getcwd() . '/' . $path;
		$this->lease = $lease;
	}

	public function __destruct()
	{
		$this->release();
	}

	private function __clone()
	{
	}

	/*
	 * true: it is ours. false: somebody else has it and kept it for $timeout seconds (0: do not
	 * wait, null: wait for ever, in the kernel's queue). RuntimeException: the file cannot be
	 * used, which is the only reason to fall back to another lock.
	 */
	public function acquire(?float $timeout = 0.0): bool
	{
		if ($this->handle)
			throw new LogicException("$this->path: acquired twice");
		$end = hrtime(true) / 1e9 + (float) $timeout;
		for ($pause = 0.05;; $pause = min(1.0, $pause * 2)) {
			if ($this->attempt($timeout === null))
				return true;
			$left = $timeout === null ? $pause : $end - hrtime(true) / 1e9;
			if ($left <= 0)
				return false;
			usleep((int) (1e6 * min($left, $pause * mt_rand(500, 1000) / 1000)));
		}
	}

	/* Is it still ours? False too when another wrote into the file or took its name. */
	public function isHeld(): bool
	{
		/* In a forked child the handle is there, but the lock is the parent's. */
		return $this->handle && $this->owner === getmypid() && $this->isNamed($this->handle) &&
			stream_get_contents($this->handle, 1025, 0) === $this->record;
	}

	/* Writes the time anew, so that readers of pid|time do not take it for old. False: lost. */
	public function renew(): bool
	{
		return $this->isHeld() && $this->write();
	}

	public function release(): void
	{
		if ($this->isHeld())
			ftruncate($this->handle, 0);
		if ($this->handle)
			fclose($this->handle); /* only now the flock goes: nobody sees a half release */
		$this->handle = null;
	}

	private function attempt(bool $wait): bool
	{
		$handle = $this->open();
		if (!flock($handle, $wait ? LOCK_EX : LOCK_EX | LOCK_NB, $busy)) {
			if ($busy || $wait) /* or a signal came */
				return false;
			throw new RuntimeException("$this->path: no flock on this file system");
		}
		/* The flock of a file that was removed or replaced meanwhile is nobody's lock. */
		if (!$this->isNamed($handle) || $this->isTaken($handle))
			return false;
		$this->handle = $handle;
		$this->owner = getmypid();
		$this->identity = $this->identity();
		if (!$this->write()) {
			ftruncate($handle, 0);
			$this->handle = null;
			throw new RuntimeException("$this->path: cannot write the record");
		}
		if (!$this->isHeld())
			$this->release(); /* somebody took the name who asks for no flock */
		return $this->handle !== null;
	}

	/* Never creates what may be there: PHP's modes w and c follow links and empty files. */
	private function open()
	{
		for ($try = 0; $try < 100; $try++) {
			clearstatcache(true); /* of its folders, too */
			$stat = @lstat($this->path);
			if ($stat && (($stat['mode'] & 0170000) !== 0100000 || $stat['nlink'] > 1 || $stat['size'] > 1024))
				throw new RuntimeException("$this->path: not a lock file");
			/* e: not for the programs that this one starts */
			$handle = @fopen($this->path, $stat ? 'r+e' : 'x+e');
			if ($handle) {
				stream_set_read_buffer($handle, 0);
				return $handle;
			}
		}
		throw new RuntimeException(error_get_last()['message'] ?? "$this->path: cannot be opened");
	}

	private function isNamed($handle): bool
	{
		clearstatcache();
		$name = @lstat($this->path);
		$file = fstat($handle);
		return $name && $name['dev'] === $file['dev'] && $name['ino'] === $file['ino'];
	}

	/* With the flock ours: does the record speak of a holder that needs none? */
	private function isTaken($handle): bool
	{
		$text = (string) stream_get_contents($handle, 1025, 0);
		if ($text === '')
			return false;
		$is_record = preg_match('/^0*([1-9]\d{0,9})(?:\|(\d{1,18})(?:\|([a-z][a-z0-9.]{0,15})(;[!-{}~]+)?)?)?\n?$/Di', $text, $part);
		[, $pid, $time, $version, $rest] = $part + ['', '', '', '', ''];
		if ($version !== '' && $version !== 'lt1')
			return true; /* of a later version: not ours to judge */
		preg_match_all('/;([a-z])=([^;]*)/', $rest, $found);
		$has = array_combine($found[1], $found[2]) + array_fill_keys(str_split('hbnstlm'), '');
		$is_whole = $version === '' || (strlen($has['t']) === 32 && in_array($has['m'], ['h', 'd'], true));
		if (!$is_record || !$is_whole || $pid > 0x7fffffff)
			return time() - fstat($handle)['mtime'] <= self::GRACE;
		if ($version === '') /* from a program that keeps no flock */
			return self::runs($pid) && ($time === '' || time() - $time <= self::PLAIN_LIMIT);
		if ($has['m'] === 'h')
			return false; /* its holder would still have the flock */
		$lease = (int) $has['l'];
		if ($lease > 0 && time() > $time + $lease)
			return false;
		$here = self::here();
		if ($has['b'] !== $here['b'])
			return $has['h'] !== $here['h']; /* on another machine, or here before a reboot */
		if ($has['n'] !== $here['n'])
			return true; /* a pid of another container says nothing here */
		return self::runs($pid) && ($has['s'] === '' || $has['s'] === self::start($pid));
	}

	/* Over the old record, then cut: a file that is empty for a moment would look free. */
	private function write(): bool
	{
		$this->record = $this->owner . '|' . time() . '|lt1' . $this->identity;
		return rewind($this->handle) && @fwrite($this->handle, $this->record) === strlen($this->record) &&
			ftruncate($this->handle, strlen($this->record));
	}

	private function identity(): string
	{
		$members = self::here() + [
			's' => self::start('self'),
			'a' => sprintf('%.3F', microtime(true)),
			't' => bin2hex(random_bytes(16)),
			'l' => (string) $this->lease,
			'u' => function_exists('posix_geteuid') ? (string) posix_geteuid() : '',
			'm' => 'h',
		];
		$text = '';
		foreach ($members as $key => $value)
			$text .= $value === '' ? '' : ";$key=$value";
		return $text;
	}

	/* Host, boot and pid namespace: where a pid means something. '' is unknown. */
	private static function here(): array
	{
		return [
			'h' => str_replace('~', '%7E', rawurlencode((string) gethostname())),
			'b' => substr((string) @file_get_contents('/proc/sys/kernel/random/boot_id'), 0, 8),
			'n' => (string) @fileinode('/proc/self/ns/pid'),
		];
	}

	/* Field 22 of /proc/PID/stat: with it, a number that was given anew is not the old process. */
	private static function start(string $pid): string
	{
		$stat = (string) @file_get_contents("/proc/$pid/stat");
		return explode(' ', (string) strrchr($stat, ')'))[20] ?? '';
	}

	private static function runs(string $pid): bool
	{
		if (function_exists('posix_kill'))
			return posix_kill((int) $pid, 0) || posix_get_last_error() === 1; /* EPERM: another user's, alive */
		return !is_dir('/proc/1') || is_dir("/proc/$pid"); /* cannot see: alive */
	}
}
