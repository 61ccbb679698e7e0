/*
 * The lock file as the plugin's own page has it, as a model for spin(1): look, then write; break a
 * stale lock by its path; release by the path. tests/t-model shows what each of the three does.
 *
 *   look       is_lock_active(): file_exists() and the reading of it, is_process_running()
 *   break      is_lock_active() again: release_lock(), an unlink() of whatever is there by now
 *   write      file_put_contents(LOCK_EX): open(O_CREAT), flock, ftruncate, write, close. One
 *              step, which is more than it gets: LOCK_EX guards these bytes and nothing else
 *   release    unlink() of whatever is there
 *
 * -DEXCLUSIVE creates with O_EXCL instead of writing over, as if the look and the write were one:
 * what is left is the break by path. -DRELEASE_ONLY breaks without a race too, by age: one that
 * is late is evicted and does not count as inside; but then it releases what is not its own.
 *
 * Left out: everything that would only add to it (torn reads, reused pids, other hosts).
 */
#define NOBODY 0
#define DEAD 255
#define SAY(what) PRINT(%d: what\n)
#define PRINT(text) printf(#text, me)

byte file;   /* whose pid is in it; NOBODY: there is none */
byte inside; /* who has the lock */
#ifdef RELEASE_ONLY
byte evicted; /* who was, but took too long */
#endif

#define OR_SIGKILL :: d_step { SAY(SIGKILL); if :: file == me -> file = DEAD :: else fi; \
	if :: inside == me -> inside = 0 :: else fi } goto acquire

proctype process(byte me)
{
acquire:
	if
	:: d_step { file == NOBODY -> SAY(no lock file) }
	:: d_step { file != NOBODY && file != DEAD -> SAY(active) } goto old
#ifdef RELEASE_ONLY
	:: d_step { file == DEAD -> file = NOBODY }
#else
	:: d_step { file == DEAD -> SAY(stale: will unlink) }
		if
		:: d_step { SAY(unlink); file = NOBODY }
		OR_SIGKILL
		fi
#endif
	OR_SIGKILL
	fi;
	if
#if defined(EXCLUSIVE) || defined(RELEASE_ONLY)
	:: d_step { file == NOBODY ->
#else
	:: d_step { true ->
#endif
		file = me; SAY(writes it and is inside); assert(inside == 0); inside = me }
#if defined(EXCLUSIVE) || defined(RELEASE_ONLY)
	:: d_step { file != NOBODY -> SAY(EEXIST) } goto acquire
#endif
	OR_SIGKILL
	fi;
	if
	:: d_step { SAY(is done); if :: inside == me -> inside = 0 :: else fi }
	OR_SIGKILL
	fi;
	if
	:: d_step { SAY(unlink); file = NOBODY
#ifdef RELEASE_ONLY
		; if :: evicted == me -> evicted = 0 :: else fi
#endif
		}
	OR_SIGKILL
	fi;
	goto acquire;

old:
#ifdef RELEASE_ONLY
	if
	:: d_step { file != NOBODY && file != DEAD && file == inside && !evicted ->
		SAY(older than 600 s: evicted); evicted = inside; inside = 0; file = NOBODY }
	:: true
	fi;
#endif
	goto acquire
}

init
{
	atomic {
		run process(1);
		run process(2);
		run process(3)
	}
}
