<?php
/*
 * Many processes want one lock, and it is counted how often one entered while another was inside.
 *
 *     php storm.php LOCK COUNT KILLS KIND...
 *
 * One worker a KIND: class (LocktopLock), bare (the same without php.ini, so without posix), seed
 * (the plugin's page), transient (the plugin), dual (doc/wordpress.md), run (`locktop run`). Each
 * acquires COUNT times. KILLS workers are killed on the way, at any moment, and started again.
 * Prints
 *
 *     acquisitions=400 overlaps=37 lost=3 kills=0 class=200/1 seed=200/36
 *
 * lost: holders of the class that found at their end that the lock was not theirs any more.
 *
 * The detector needs no lock: each worker writes down when it came in and when it was about to
 * leave, by the clock that all processes share, and the intervals are compared afterwards. One
 * that was killed inside had the lock until just before the signal was sent.
 */
const HOLD_US = 500;
const DEADLINE_S = 20;

require __DIR__ . '/seed.php';
require __DIR__ . '/wordpress.php';

function note(string $log, string $what): void
{
	static $file = null;
	$file = $file ?? fopen($log, 'a');
	fwrite($file, "$what " . hrtime(true) . "\n");
}

function inside(string $log): void
{
	note($log, 'in');
	usleep(mt_rand(0, 2 * HOLD_US));
	note($log, 'out');
}

function a_lock(string $kind, string $path)
{
	switch ($kind) {
	case 'seed': return new SeedLock($path);
	case 'transient': return new TransientLock();
	case 'dual': return new AistmaGenerationLock($path);
	default: return new LocktopLock($path);
	}
}

/* As a worker of its own kind; it ends with the one that started it. */
function work(string $kind, string $path, int $count, string $log): void
{
	require getenv('LOCKTOP_CLASS');
	if ($kind === 'dual')
		require getenv('DUAL_CLASS');
	$is_ours = $kind === 'class' || $kind === 'bare';
	$parent = getenv('STORM_PID');
	$end = hrtime(true) + DEADLINE_S * 1000000000;
	while ($count > 0 && hrtime(true) < $end && is_dir("/proc/$parent")) {
		if ($kind === 'run') {
			$command = [getenv('LOCKTOP'), 'run', '--log', 'none', '-w', '20', $path, '--', PHP_BINARY, '-n', __FILE__, '--inside', $log];
			if (proc_close(proc_open($command, [], $pipes)) !== 0)
				exit(1);
			$count--;
			continue;
		}
		$lock = a_lock($kind, $path);
		/* Some of them in the kernel's queue. */
		if ($is_ours && mt_rand(0, 3) === 0 ? $lock->acquire(null) : $lock->acquire()) {
			inside($log);
			if ($is_ours && !$lock->isHeld())
				note($log, 'lost');
			$lock->release();
			$count--;
		}
		usleep(mt_rand(0, HOLD_US));
	}
}

function start(array $worker, string $path)
{
	$command = [PHP_BINARY, __FILE__, '--work', $worker['kind'], $path, $worker['left'], $worker['log']];
	if ($worker['kind'] === 'bare')
		array_splice($command, 1, 0, ['-n']);
	return proc_open($command, [], $pipes);
}

/* The times that a worker was inside, as [in, out, kind, and true if it was lost]. */
function intervals(array $worker): array
{
	$found = [];
	foreach (@file($worker['log']) ?: [] as $line) {
		[$what, $at] = explode(' ', $line);
		if ($what === 'in')
			$found[] = [(int) $at, PHP_INT_MAX, $worker['kind']];
		elseif ($what === 'out')
			$found[count($found) - 1][1] = (int) $at;
		else
			$found[count($found) - 1][3] = true;
	}
	$last = count($found) - 1;
	if ($last >= 0 && $found[$last][1] === PHP_INT_MAX)
		$found[$last][1] = $worker['killed'] ?? $found[$last][0];
	return $found;
}

function storm(string $path, int $count, int $kills, array $kinds): int
{
	$workers = $over = [];
	foreach ($kinds as $i => $kind)
		$workers[] = ['kind' => $kind, 'left' => $count, 'log' => "$path.log.$i"];
	foreach ($workers as &$worker)
		$worker['process'] = start($worker, $path);
	unset($worker);
	$killed = $failed = 0;
	$next = hrtime(true) + 100000000;
	do {
		$running = 0;
		foreach ($workers as $i => &$worker) {
			$status = $worker['process'] ? proc_get_status($worker['process']) : ['running' => false];
			if ($status['running']) {
				$running++;
				if ($killed < $kills && !isset($worker['killed']) && hrtime(true) > $next && mt_rand(0, 3) === 0) {
					$worker['killed'] = hrtime(true);
					proc_terminate($worker['process'], 9);
					$next = hrtime(true) + mt_rand(1000000, 30000000);
					$killed++;
				}
			} elseif ($worker['process']) {
				$failed += !isset($worker['killed']) && $status['exitcode'] !== 0;
				proc_close($worker['process']);
				$worker['process'] = null;
				$entered = intervals($worker);
				$over = array_merge($over, $entered);
				$worker['left'] -= count($entered);
				if (isset($worker['killed']) && $worker['left'] > 0) {
					@unlink($worker['log']);
					unset($worker['killed']);
					$worker['process'] = start($worker, $path);
					$running++;
				}
			}
		}
		unset($worker);
		usleep(1000);
	} while ($running > 0);

	usort($over, fn($a, $b) => $a[0] <=> $b[0]);
	$until = $overlaps = $lost = 0;
	$by_kind = [];
	foreach ($over as $interval) {
		[$in, $out, $kind] = $interval;
		$lost += isset($interval[3]);
		$by_kind[$kind] = $by_kind[$kind] ?? [0, 0];
		$by_kind[$kind][0]++;
		if ($in < $until) {
			$by_kind[$kind][1]++;
			$overlaps++;
		}
		$until = max($until, $out);
	}
	printf('acquisitions=%d overlaps=%d lost=%d kills=%d', count($over), $overlaps, $lost, $killed);
	foreach ($by_kind as $kind => [$n, $bad])
		echo " $kind=$n/$bad";
	echo $failed ? " failed=$failed\n" : "\n";
	return $failed ? 1 : 0;
}

if ($argv[1] === '--work')
	work($argv[2], $argv[3], (int) $argv[4], $argv[5]);
elseif ($argv[1] === '--inside')
	inside($argv[2]);
else {
	putenv('STORM_PID=' . getmypid());
	exit(storm($argv[1], (int) $argv[2], (int) $argv[3], array_slice($argv, 4)));
}
