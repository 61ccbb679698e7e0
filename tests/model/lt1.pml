/*
 * The lock-file protocol LT1 as a model for spin(1): processes that take one lock and give it back,
 * an administrator who releases stale locks, and SIGKILL between any two steps. tests/t-model has
 * all its states searched.
 *
 * A STEP is one system call, or what can be seen of it, and everybody else may act between two:
 *
 *   acquire    openat(dir, name, O_RDWR|O_CLOEXEC|O_NOFOLLOW|O_NONBLOCK), never O_CREAT
 *   publish    on ENOENT openat(O_TMPFILE), flock(LOCK_EX), write(record): one step, for nobody
 *              can see that file; then linkat() to the name, which may find EEXIST
 *   lock       flock(LOCK_EX): it waits until it can, or LOCK_NB says EWOULDBLOCK, or the timer
 *              of the wait ends it; the last two begin again
 *   compare    fstat(fd) with fstatat(name): device and inode
 *   judge      pread(): empty is free; "held under flock" is stale, for its holder would have the
 *              flock; detached is as alive as its owner; torn is busy until it is old, then stale
 *   take       pwrite(record), which leaves the tail of a longer one behind it, then ftruncate()
 *   inside     with the flock (m=h), or without a descriptor (m=d: `locktop acquire`)
 *   give back  m=d by a descriptor of its own: openat, flock, compare with name and record
 *   sleep      before the next look at a detached lock that was busy
 *   release    compare, then ftruncate(fd, 0) or unlink(name), then close(); never LOCK_UN before
 *   admin      lockfile_release() of src/system/lockfile.c, on a lock that was seen to be stale
 *   SIGKILL    the kernel closes the descriptor, which drops the flock; what the dead one wrote is
 *              a dead holder's record from then on, and a new process comes in its place
 *
 * An inode lives while the name or a descriptor refers to it; then its number is free, and a new
 * inode gets the lowest free one. As protocols can only ask whether two numbers are the same, two
 * states that differ in the numbering alone are one: renumber() counts them through by who refers
 * to them, which leaves a sixth of the states with two processes, and less with three.
 * -DREAL_NUMBERS lets them be.
 *
 * Safety: never are two inside; whoever is inside has lost nothing when he gives it back; nobody is
 * judged dead who is alive; nobody waits for what cannot come.
 * Liveness, in fair runs, from when on nobody is killed any more (is_calm): somebody gets in again
 * and again (-DPROGRESS); a process that waits gets in if each of the others comes so often only
 * (-DROUNDS=n). Without that limit a faster one may always be first, as with flock(2) itself.
 * Both need that whoever found a detached lock busy sleeps before it asks again, long enough for
 * the one who waits in flock() to give it back: MUTANT_NO_SLEEP shows how it never can otherwise.
 *
 * Left out: whether a process is dead is known exactly (pid, start time and boot id); a lease that
 * runs out while its owner lives; programs that ignore flock (file_put_contents() of PHP, rm); file
 * systems of other hosts; errors of system calls; descriptors that a child inherited; forced
 * release; renewal, which changes no more than the time in one's own record; fences; what is no
 * regular file.
 *
 * With -DMUTANT_... one rule is broken, and that has to be found (-DMUTANT leaves the lemmas out,
 * so that two inside are what is found). -DCREATE_FIRST opens with O_CREAT and is as safe here:
 * what speaks against it (sticky folders, FIFOs, empty files for PHP) is none of this model.
 */
#ifndef PROCS
#define PROCS 3
#endif
#define ADMIN (PROCS + 1)
#define INODES (PROCS + 2) /* one for each descriptor, one for the name: more are never needed */

/* What is in the file. */
#define EMPTY 0
#define HELD(p) (p)
#define DETACHED(p) (ADMIN + (p))
#define HELD_DEAD (2 * ADMIN + 1)
#define DETACHED_DEAD (2 * ADMIN + 2)
#define TORN (2 * ADMIN + 3)
#define TORN_OLD (2 * ADMIN + 4)

byte name;                /* the inode that the name points to, or 0: ENOENT */
byte fd[ADMIN + 1];       /* the inode that a process has open, or 0 */
byte flocked[INODES + 1]; /* by whom */
byte record[INODES + 1];
byte inside;              /* who has the lock */

/* For use within a step only, no part of a state; spin has no breadth-first search with these. */
#ifndef SHORTEST
hidden
#endif
byte i, n, old_flock[INODES + 1], old_record[INODES + 1], number[INODES + 1];

#ifdef PROGRESS
ltl progress { []<> (inside != 0) }
#endif
#ifdef ROUNDS
bool was_inside; /* process 1 */
ltl everyone { <> was_inside }
#endif
#if defined(PROGRESS) || defined(ROUNDS)
#define LIVENESS
bool is_calm;    /* nobody is killed any more */
byte gives_back; /* who is in the kernel queue to give back */
#else
#define is_calm false
#endif

#define MINE fd[me]
#define RECORD record[MINE]
#define IS_HELD(r) ((r) != EMPTY && (r) < ADMIN || (r) == HELD_DEAD)
#define IS_ALIVE_DETACHED(r) ((r) > ADMIN && (r) < 2 * ADMIN)
/* What `locktop ls` calls STALE, and the administrator finds again under his own flock. */
#define IS_STALE(i) (IS_HELD(record[i]) && (!flocked[i] || flocked[i] == ADMIN) || \
	record[i] == DETACHED_DEAD || record[i] == TORN_OLD)

/* Holds whenever the protocol is followed; a mutant is to show that two are inside. */
#ifdef MUTANT
#define LEMMA(x) skip
#else
#define LEMMA(x) assert(x)
#endif

#define STEP(guard, ...) :: d_step { (guard) -> __VA_ARGS__; renumber() }
#define SAY(what) PRINT(%d: what\n)
#define PRINT(text) printf(#text, me)
#define OR_SIGKILL :: d_step { may_die && !is_calm -> die(); renumber() } goto dead

inline refer(to)
{
	if
	:: to && !number[to] -> n++; number[to] = n; old_flock[n] = flocked[to];
		old_record[n] = record[to]
	:: else
	fi;
	to = number[to]
}

/* Counts the inodes through; those that nobody refers to are gone. */
inline renumber()
{
#ifdef REAL_NUMBERS
	i = 1;
	do
	:: i > INODES -> break
	:: i <= INODES ->
		n = 0;
		do
		:: n > ADMIN -> record[i] = EMPTY; break
		:: n <= ADMIN && (fd[n] == i || name == i) -> break
		:: else -> n++
		od;
		i++
	od;
#else
	n = 0;
	i = 1;
	do
	:: i > INODES -> break
	:: else -> number[i] = 0; old_flock[i] = 0; old_record[i] = EMPTY; i++
	od;
	refer(name);
	i = 1;
	do
	:: i > ADMIN -> break
	:: else -> refer(fd[i]); i++
	od;
	i = 1;
	do
	:: i > INODES -> break
	:: else -> flocked[i] = old_flock[i]; record[i] = old_record[i]; i++
	od;
#endif
	i = 0;
	n = 0
}

/* The lowest number that nothing refers to, without a name yet. */
inline new_inode()
{
	i = 1;
	do
	:: i > INODES -> break
	:: i <= INODES ->
		n = 0;
		do
		:: n > ADMIN -> break
		:: n <= ADMIN && (fd[n] == i || name == i) -> break
		:: else -> n++
		od;
		if
		:: n > ADMIN -> break
		:: else -> i++
		fi
	od;
	assert(i <= INODES);
	MINE = i
}

inline close_fd()
{
	if
	:: flocked[MINE] == me -> flocked[MINE] = 0
	:: else
	fi;
	MINE = 0
}

inline die()
{
	SAY(SIGKILL);
	i = 1;
	do
	:: i > INODES -> break
	:: i <= INODES && record[i] == HELD(me) && me != ADMIN -> record[i] = HELD_DEAD
	:: i <= INODES && record[i] == DETACHED(me) && me != ADMIN -> record[i] = DETACHED_DEAD
	:: else -> i++
	od;
	close_fd();
	if
	:: inside == me -> inside = 0
	:: else
	fi;
#ifdef LIVENESS
	if
	:: gives_back == me -> gives_back = 0
	:: else
	fi;
#endif
	is_detached = false
}

inline enter()
{
	SAY(is inside);
	assert(inside == 0);
	inside = me;
#ifdef ROUNDS
	if
	:: me == 1 -> was_inside = true
	:: else
	fi
#endif
}

#ifdef LIVENESS
#define QUEUE gives_back = me;
#define DEQUEUE gives_back = 0;
#else
#define QUEUE
#define DEQUEUE
#endif

proctype process(byte me; bool may_die)
{
	bool is_detached;
#ifdef ROUNDS
	byte rounds;
#endif

acquire:
	if
	STEP(name != 0, MINE = name; SAY(openat: there))
#ifdef CREATE_FIRST
	STEP(name == 0, new_inode(); name = MINE; SAY(openat: created))
#else
	STEP(name == 0, SAY(openat: ENOENT)) goto publish
#endif
	OR_SIGKILL
	fi;
#ifdef MUTANT_BREAK_BY_PATH /* as liblockfile does: the judgement is old when it is acted upon */
	if
	STEP(RECORD == HELD_DEAD || RECORD == DETACHED_DEAD, SAY(stale: will unlink); close_fd())
		if
		STEP(true, name = 0; SAY(unlink))
		OR_SIGKILL
		fi;
		goto publish
	STEP(RECORD != HELD_DEAD && RECORD != DETACHED_DEAD, skip)
	OR_SIGKILL
	fi;
#endif
	if
	STEP(!flocked[MINE], flocked[MINE] = me; SAY(flock))
	STEP(flocked[MINE], SAY(flock: EWOULDBLOCK); close_fd()) goto acquire
	OR_SIGKILL
	fi;
#ifndef MUTANT_NO_COMPARE
	if
	STEP(name == MINE, SAY(it is still the inode of the name))
	STEP(name != MINE, SAY(the name has another inode); close_fd()) goto acquire
	OR_SIGKILL
	fi;
#endif
	if
	STEP(RECORD == EMPTY, SAY(free)) goto overwrite
	STEP(IS_HELD(RECORD), SAY(holder gone); LEMMA(RECORD == HELD_DEAD))
	STEP(RECORD == DETACHED_DEAD, SAY(owner gone))
	STEP(IS_ALIVE_DETACHED(RECORD), SAY(busy); close_fd()) goto sleep
#ifndef MUTANT_TORN_FOREVER
	STEP(RECORD == TORN, RECORD = TORN_OLD; SAY(torn); close_fd()) goto acquire
	STEP(RECORD == TORN || RECORD == TORN_OLD, SAY(torn and old))
#else
	STEP(RECORD == TORN, SAY(torn); close_fd()) goto acquire
#endif
	OR_SIGKILL
	fi;
	if
	STEP(true, RECORD = TORN; SAY(pwrite over a longer record))
	OR_SIGKILL
	fi;
overwrite:
	if
	STEP(true, RECORD = HELD(me); enter()) goto entered
	STEP(true, RECORD = DETACHED(me); is_detached = true; enter()) goto entered
	OR_SIGKILL
	fi;

publish:
#ifdef MUTANT_CREATOR_BELIEVES /* that what it has made with O_CREAT|O_EXCL is its own */
	if
	STEP(name == 0, new_inode(); name = MINE; SAY(openat: created))
	STEP(name != 0, SAY(openat: EEXIST)) goto acquire
	OR_SIGKILL
	fi;
	if
	STEP(!flocked[MINE], flocked[MINE] = me; SAY(flock)) goto overwrite
	OR_SIGKILL
	fi;
#endif
	if
	STEP(true, new_inode(); flocked[MINE] = me; RECORD = HELD(me))
	STEP(true, new_inode(); flocked[MINE] = me; RECORD = DETACHED(me); is_detached = true)
	OR_SIGKILL
	fi;
	if
	STEP(name == 0, name = MINE; SAY(linkat); enter())
	STEP(name != 0, SAY(linkat: EEXIST); is_detached = false; close_fd()) goto acquire
	OR_SIGKILL
	fi;

entered:
	if
	STEP(!is_detached, inside = 0; SAY(releases: fstat);
		LEMMA(name == MINE); LEMMA(RECORD == HELD(me))) goto release
	STEP(is_detached, SAY(close: detached); close_fd())
	OR_SIGKILL
	fi;
	if
	STEP(true, inside = 0; LEMMA(name != 0); MINE = name; QUEUE SAY(gives back: openat))
	OR_SIGKILL
	fi;
	if
	STEP(!flocked[MINE], flocked[MINE] = me; DEQUEUE SAY(flock))
	OR_SIGKILL
	fi;
	if
	STEP(true, is_detached = false; LEMMA(name == MINE); LEMMA(RECORD == DETACHED(me)))
	OR_SIGKILL
	fi;

release:
#ifdef MUTANT_UNLOCK_FIRST
	if
	STEP(true, close_fd(); SAY(close))
	OR_SIGKILL
	fi;
	if
	STEP(true, name = 0; SAY(unlink))
	OR_SIGKILL
	fi;
#else
	if
	STEP(true, RECORD = EMPTY; SAY(ftruncate))
	STEP(true, name = 0; SAY(unlink))
	OR_SIGKILL
	fi;
	if
	STEP(true, close_fd(); SAY(close))
	OR_SIGKILL
	fi;
#endif

	goto dead;
sleep:
#if defined(LIVENESS) && !defined(MUTANT_NO_SLEEP)
	if
	:: !gives_back
	OR_SIGKILL
	fi;
#endif
	goto acquire;

dead:
#ifdef ROUNDS
	rounds++;
	if
	:: rounds < ROUNDS && me != 1 -> goto acquire
	:: else
	fi
#else
	goto acquire
#endif
}

proctype administrator(byte me; bool may_die)
{
	bool is_detached;

end_look:
	if
	STEP(name != 0 && IS_STALE(name), SAY(administrator: STALE))
	fi;
	if
	STEP(name != 0, MINE = name; SAY(administrator: openat))
	STEP(name == 0, skip) goto end_look
	OR_SIGKILL
	fi;
	if
	STEP(!flocked[MINE], flocked[MINE] = me; SAY(administrator: flock))
	STEP(flocked[MINE], close_fd()) goto end_look
	OR_SIGKILL
	fi;
	if
	STEP(name == MINE, SAY(administrator: it is still the inode of the name))
	STEP(name != MINE, close_fd()) goto end_look
	OR_SIGKILL
	fi;
#ifndef MUTANT_NO_VERSION
	if
	STEP(IS_STALE(MINE), SAY(administrator: it is still that record))
	STEP(!IS_STALE(MINE), close_fd()) goto end_look
	OR_SIGKILL
	fi;
#endif
	if
	STEP(true, RECORD = EMPTY; SAY(administrator: ftruncate))
	STEP(true, name = 0; SAY(administrator: unlink))
	OR_SIGKILL
	fi;
	if
	STEP(true, close_fd(); SAY(administrator: close))
	OR_SIGKILL
	fi;
dead:
	goto end_look
}

init
{
	atomic {
#ifdef ROUNDS
		run process(1, false);
#else
		run process(1, true);
#endif
		run process(2, true);
#if PROCS > 2
		run process(3, true);
#endif
#ifndef NO_ADMIN
		run administrator(ADMIN, true)
#endif
	}
#ifdef LIVENESS
	is_calm = true
#endif
}
