#include "proxy/core/harden.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <malloc.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Sanitizers need more of the kernel than any list of ours. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

void harden_name(const char *name)
{
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
}

void harden_private(void)
{
	struct rlimit none = {0, 0};

	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void harden_end(void)
{
	if (SANITIZED)
		(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* All of it, if that may be; else the heap, where keys are. Freed memory stays
 * in the heap, so that what is locked now covers what comes. */
void harden_raise(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	if (setrlimit(RLIMIT_MEMLOCK, &limit) == 0 ||
	    getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_MEMLOCK, &limit);
}

bool harden_memory(void)
{
	enum { HEAP = 2 * 1024 * 1024 };
	char *begin, *end;
	void *volatile room;

	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0)
		return true;
	if (SANITIZED)
		return false;
	(void)mallopt(M_MMAP_MAX, 0);
	(void)mallopt(M_ARENA_MAX, 1);
	(void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
	(void)mallopt(M_TOP_PAD, HEAP);
	begin = sbrk(0);
	room = malloc(HEAP);
	free(room);
	end = sbrk(0);
	if (end == (char *)-1 || begin == (char *)-1)
		return false;
	/* from where the heap may have begun: a page below is no harm */
	return end > begin && mlock(begin, (size_t)(end - begin)) == 0;
}

void harden_die(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

/* What root that stays root need not have: the right to everything. */
static int drop_capabilities(char *err, size_t err_size)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (geteuid() != 0 || syscall(SYS_capset, &header, none) == 0)
		return 0;
	snprintf(err, err_size, "can't give up root's capabilities: %s",
		strerror(errno));
	return -1;
}

int harden_become(uid_t uid, gid_t gid, char *err, size_t err_size)
{
	if (uid == 0)
		return drop_capabilities(err, err_size);
	if (setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 &&
	    setresuid(uid, uid, uid) == 0 && setuid(0) != 0)
		return 0;
	snprintf(err, err_size, "can't become the user %lu: %s",
		(unsigned long)uid, strerror(errno));
	return -1;
}

/* --- system calls ------------------------------------------------------- */

static const int needed[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close),
	SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(recvfrom),
	SCMP_SYS(sendto), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(futex),
	SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mprotect),
	SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(mlock),
	SCMP_SYS(munlock), SCMP_SYS(brk), SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq), SCMP_SYS(exit), SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigaction), SCMP_SYS(sigaltstack), SCMP_SYS(gettid),
	SCMP_SYS(getpid), SCMP_SYS(tgkill), SCMP_SYS(getrandom),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(restart_syscall), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
};

/* What no build of it may do. */
static const int banned[] = {
	SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect),
	SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept),
	SCMP_SYS(accept4), SCMP_SYS(execve), SCMP_SYS(execveat),
};

static bool add_all(scmp_filter_ctx filter, uint32_t action, const int *calls,
	size_t num)
{
	for (size_t i = 0; i < num; i++) {
		if (seccomp_rule_add(filter, action, calls[i], 0) != 0)
			return false;
	}
	return true;
}

/* Threads, but no processes. What is in clone3's memory can't be looked at: it
 * is not there, and the C library takes clone. */
static bool add_threads(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
		       SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD,
			       CLONE_THREAD)) == 0 &&
		seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
			SCMP_SYS(clone3), 0) == 0;
}

static bool fill(scmp_filter_ctx filter)
{
	if (SANITIZED)
		return add_all(filter, SCMP_ACT_ERRNO(EPERM), banned,
			sizeof(banned) / sizeof(*banned));
	return add_all(filter, SCMP_ACT_ALLOW, needed,
		       sizeof(needed) / sizeof(*needed)) &&
		add_threads(filter);
}

bool harden_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SANITIZED ? SCMP_ACT_ALLOW :
		SCMP_ACT_ERRNO(EPERM));
	bool done;

	if (!filter)
		return false;
	done = fill(filter) && seccomp_load(filter) == 0;
	seccomp_release(filter);
	return done;
}
