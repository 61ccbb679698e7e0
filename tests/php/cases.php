<?php
/*
 * What LocktopLock does, a function a case: php cases.php CASE FOLDER. Silent and 0 if all is as
 * it should be.
 */
require getenv('LOCKTOP_CLASS');
require __DIR__ . '/wordpress.php';

function is($wanted, $got, string $what): void
{
	if ($wanted === $got)
		return;
	printf("%s: expected %s, but it is %s\n", $what, var_export($wanted, true), var_export($got, true));
	exit(1);
}

function refused(string $path, string $what): void
{
	try {
		(new LocktopLock($path))->acquire();
	} catch (RuntimeException $e) {
		return;
	}
	is('a RuntimeException', 'none', $what);
}

function gone(): int
{
	$process = proc_open(['true'], [], $pipes);
	$pid = proc_get_status($process)['pid'];
	proc_close($process);
	return $pid;
}

function lt1(array $members): string
{
	$here = [
		'h' => gethostname(),
		'b' => substr(file_get_contents('/proc/sys/kernel/random/boot_id'), 0, 8),
		'n' => fileinode('/proc/self/ns/pid'),
		't' => str_repeat('a', 32),
		'l' => 600,
		'm' => 'd',
	];
	$text = '';
	foreach (array_merge($here, $members) as $key => $value)
		$text .= ";$key=$value";
	return 'lt1' . $text;
}

/* Each old record, and whether the lock can be had though nobody has its flock; null: in time. */
function judges_records(string $folder): void
{
	$now = time();
	$me = getmypid();
	$start = explode(' ', strrchr(file_get_contents('/proc/self/stat'), ')'))[20];
	$gone = gone();
	$records = [
		'an empty file' => ['', true],
		'a plain record of a live process' => ["$me|$now", false],
		'a plain record with a newline' => ["$me|$now\n", false],
		'a plain record of a gone process' => ["$gone|$now", true],
		'a plain record that is old' => ["$me|" . ($now - 700), true],
		'a plain record that is not old yet' => ["$me|" . ($now - 500), false],
		'a plain record of the future' => ["$me|" . ($now + 3600), false],
		'a bare pid of a live process' => ["$me\n", false],
		'a bare pid of a gone process' => ["$gone\n", true],
		'a held record without its flock' => ["$me|$now|" . lt1(['m' => 'h']), true],
		'a held record of another host without its flock' => ["$me|$now|" . lt1(['m' => 'h', 'h' => 'other', 'b' => '00000000']), true],
		'a detached one of a live owner' => ["$me|$now|" . lt1([]), false],
		'a detached one of this very process' => ["$me|$now|" . lt1(['s' => $start]), false],
		'a detached one whose pid was given anew' => ["$me|$now|" . lt1(['s' => 1]), true],
		'a detached one whose lease ran out' => ["$me|" . ($now - 700) . '|' . lt1([]), true],
		'a detached one without a lease' => ["$me|" . ($now - 70000) . '|' . lt1(['l' => 0]), false],
		'a detached one of a gone owner' => ["$gone|$now|" . lt1([]), true],
		'a detached one from before a reboot' => ["$me|$now|" . lt1(['b' => '00000000']), true],
		'a detached one of another host' => ["$gone|$now|" . lt1(['h' => 'other', 'b' => '00000000']), false],
		'a detached one of another host, over' => ["$gone|" . ($now - 700) . '|' . lt1(['h' => 'other', 'b' => '00000000']), true],
		'a detached one of another container' => ["$gone|$now|" . lt1(['n' => 1]), false],
		'a key of a later version' => ["$gone|$now|" . lt1(['z' => '9', 'long' => 'x']), true],
		'a later version' => ["$gone|" . ($now - 70000) . '|lt2;q=1', false],
		'something else' => ['boo', null],
		'pid 0' => ["0|$now", null],
		'a negative pid' => ["-1|$now", null],
		'a pid that cannot be' => ["4294967297|$now", null],
		'a record cut in its middle' => ["$me|$now|lt1;h=web1;b=9f3c", null],
		'a record without a token' => ["$me|$now|lt1;m=h", null],
		'three fields' => ["$me|$now|what ever", null],
	];
	foreach ($records as $what => [$text, $free]) {
		foreach ([false, true] as $aged) {
			$path = "$folder/record.lock";
			file_put_contents($path, $text);
			touch($path, $aged ? $now - 60 : $now);
			$lock = new LocktopLock($path);
			is($free ?? $aged, $lock->acquire(), $what . ($aged ? ', a minute old' : ''));
			$lock->release();
			is(($free ?? $aged) ? '' : $text, file_get_contents($path), "$what, afterwards");
		}
	}
}

function writes_a_record(string $folder): void
{
	$path = "$folder/record.lock";
	$lock = new LocktopLock($path, 300);
	is(true, $lock->acquire(), 'acquire');
	$parts = explode('|', file_get_contents($path));
	is(3, count($parts), 'fields');
	is((string) getmypid(), $parts[0], 'pid');
	is(true, abs(time() - (int) $parts[1]) <= 2, 'time');
	is(1, preg_match('/^lt1;h=[^;|]+;b=[0-9a-f]{8};n=\d+;s=\d+;a=\d+\.\d{3};t=[0-9a-f]{32};l=300(;u=\d+)?;m=h$/', $parts[2]), $parts[2]);
	$lock->release();
	is('', file_get_contents($path), 'after release');
}

/* As an administrator, or a program that asks for no flock, makes it happen. */
function notices_its_loss(string $folder): void
{
	$path = "$folder/lost.lock";
	foreach (['overwritten' => "1|1", 'emptied' => ''] as $what => $text) {
		$lock = new LocktopLock($path);
		is(true, $lock->acquire() && $lock->renew() && $lock->isHeld(), "before it was $what");
		file_put_contents($path, $text);
		is(false, $lock->isHeld(), $what);
		is(false, $lock->renew(), "renew after it was $what");
		$lock->release();
		is($text, file_get_contents($path), "$what, after release");
		file_put_contents($path, '');
	}
	$lock = new LocktopLock($path);
	is(true, $lock->acquire(), 'before it was removed');
	unlink($path);
	is(false, $lock->renew(), 'removed');
	file_put_contents($path, 'new');
	is(false, $lock->renew(), 'replaced');
	$lock->release();
	is('new', file_get_contents($path), 'another file of that name, after release');
}

function takes_lock_files_only(string $folder): void
{
	file_put_contents("$folder/target", '');
	symlink("$folder/target", "$folder/link.lock");
	symlink("$folder/nowhere", "$folder/dangling.lock");
	link("$folder/target", "$folder/hard.lock");
	posix_mkfifo("$folder/fifo.lock", 0600);
	mkdir("$folder/folder.lock");
	file_put_contents("$folder/long.lock", str_repeat('x', 2000));
	foreach (['link', 'dangling', 'hard', 'fifo', 'folder', 'long', 'missing/a'] as $name)
		refused("$folder/$name.lock", $name);
	is(false, file_exists("$folder/nowhere"), 'the target of a dangling link');
	is('', file_get_contents("$folder/target"), 'the target of a link');
	is(2000, filesize("$folder/long.lock"), 'a long file');
}

function is_one_object_one_lock(string $folder): void
{
	$path = "$folder/one.lock";
	$lock = new LocktopLock($path);
	is(false, $lock->isHeld() || $lock->renew(), 'before acquire');
	$lock->release();
	is(true, $lock->acquire(), 'acquire');
	try {
		$lock->acquire();
		is('a LogicException', 'none', 'acquired twice');
	} catch (LogicException $e) {
	}
	is(false, (new LocktopLock($path))->acquire(), 'another object');
	$begin = hrtime(true);
	is(false, (new LocktopLock($path))->acquire(0.2), 'another object, 0.2 s');
	is(true, hrtime(true) - $begin >= 200000000, 'the wait');
	$lock = null;
	$lock = new LocktopLock($path);
	is(true, $lock->acquire(0.2), 'after the destructor');
	chdir('/');
	$lock->release();
	chdir($folder);
	$lock = new LocktopLock('one.lock');
	is(true, $lock->acquire(), 'a relative path');
	chdir('/');
	is(true, $lock->isHeld(), 'a relative path, in another folder');
}

function survives_a_fork(string $folder): void
{
	$lock = new LocktopLock("$folder/fork.lock");
	is(true, $lock->acquire(), 'acquire');
	$child = pcntl_fork();
	if ($child === 0) {
		is(false, $lock->isHeld() || $lock->renew(), 'in the child');
		exit(0); /* with its destructors */
	}
	pcntl_waitpid($child, $status);
	is(0, $status, 'the child');
	is(true, $lock->isHeld(), 'after the child ended');
	/* Nor does a program that is started have it: it would keep the flock. */
	$process = proc_open(['sleep', '300'], [], $pipes);
	$lock->release();
	$other = new LocktopLock("$folder/fork.lock");
	/* Until it is executed it has: a moment is given to it. */
	is(true, $other->acquire(10.0), 'while a program lives that was started');
	$pid = proc_get_status($process)['pid'];
	is([], preg_grep('/fork\.lock$/', array_map('readlink', glob("/proc/$pid/fd/*"))), 'its descriptors');
	proc_terminate($process, 9);
}

/* kill(2) says EPERM for another user's process: it lives. */
function believes_in_other_users(string $folder): void
{
	$path = "$folder/other.lock";
	file_put_contents($path, '1|' . time());
	if (posix_geteuid() === 0) {
		chmod($folder, 0777);
		chmod($path, 0666);
		posix_setgid(65534);
		posix_setuid(65534);
	}
	is(false, posix_kill(1, 0), 'a signal to pid 1');
	is(false, (new LocktopLock($path))->acquire(), 'a lock of pid 1');
}

function says_what_is_wrong(string $folder): void
{
	$path = "$folder/denied.lock";
	file_put_contents($path, '');
	chmod($path, 0);
	chmod($folder, 0555);
	if (posix_geteuid() === 0) {
		posix_setgid(65534);
		posix_setuid(65534);
	} else
		register_shutdown_function('chmod', $folder, 0700); /* so that it can be removed */
	refused($path, 'no permission');
	refused("$folder/none.lock", 'no permission to create');
}

/* The class of doc/wordpress.md, which holds the old lock and the new one. */
function holds_both_or_none(string $folder): void
{
	require getenv('DUAL_CLASS');
	$name = 'aistma_generating_lock';
	$path = "$folder/dual.lock";
	$old = new TransientLock();
	$new = new LocktopLock($path);
	$log = "$folder/log";
	ini_set('error_log', $log);
	$lock = new AistmaGenerationLock($path);

	is(true, $lock->acquire(), 'both free');
	is(false, $old->acquire() || $new->acquire(), 'either, while both are held');
	is(true, $lock->renew(), 'renew');
	is(false, (new AistmaGenerationLock($path))->acquire(), 'another one');
	is(true, $lock->renew(), 'after another one was refused');
	$lock->release();
	is(false, get_transient($name), 'the transient after release');
	is('', file_get_contents($path), 'the file after release');

	is(true, $new->acquire(), 'the file');
	is(false, $lock->acquire(), 'while the file is busy');
	is(false, get_transient($name), 'the transient while the file is busy');
	$new->release();

	is(true, $old->acquire(), 'the transient');
	is(false, $lock->acquire(), 'while the transient is busy');
	is(true, $new->acquire(), 'the file while the transient is busy');
	$new->release();
	$lock->release();
	is('1', get_transient($name), 'the transient of another');
	$old->release();

	is(true, $lock->acquire(), 'again');
	set_transient($name, true, 600); /* by force */
	is(false, $lock->renew(), 'when the transient was forced');
	$lock->release();
	is('1', get_transient($name), 'the transient that was forced');
	is(true, $new->acquire(), 'the file afterwards');
	$new->release();
	delete_transient($name);

	is(false, file_exists($log), 'a fallback so far');
	$lock = new AistmaGenerationLock("$folder/missing/dual.lock");
	is(true, $lock->acquire(), 'without the folder');
	is(1, preg_match('/"fallback":".*missing/', file_get_contents($log)), 'what is logged');
	is(false, (new AistmaGenerationLock($path))->acquire(), 'one with the folder beside one without');
	is(true, $lock->renew(), 'renew without the folder');
	$lock->release();
	is(false, get_transient($name), 'the transient after the fallback');
}

$argv[1]($argv[2]);
