//! Counts the instructions of a call: a child process makes it, step by step.

/// How many instructions a call takes, or `None` where a process may not trace its child.
pub(crate) fn steps(call: impl FnOnce()) -> Option<u64> {
    // SAFETY: the child runs the call and ends without the harness's own destructors.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "no other process can be started");
    if child == 0 {
        // SAFETY: calls of the system that touch no memory.
        unsafe {
            let nothing = std::ptr::null_mut::<libc::c_void>();
            if libc::ptrace(libc::PTRACE_TRACEME, 0, nothing, nothing) != 0 {
                libc::_exit(1);
            }
            libc::raise(libc::SIGSTOP);
        }
        call();
        // SAFETY: as above.
        unsafe { libc::_exit(0) }
    }
    let mut count = 0u64;
    loop {
        let mut status = 0;
        // SAFETY: the child of this call, and a place for its status.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        if libc::WIFEXITED(status) {
            return (libc::WEXITSTATUS(status) == 0).then_some(count);
        }
        assert!(
            libc::WIFSTOPPED(status),
            "the call was ended by signal {}",
            libc::WTERMSIG(status)
        );
        let signal = libc::WSTOPSIG(status);
        let passed = matches!(signal, libc::SIGTRAP | libc::SIGSTOP);
        let signal = if passed { 0 } else { signal };
        let nothing = std::ptr::null_mut::<libc::c_void>();
        // SAFETY: the stopped child is asked for one more instruction.
        let stepped =
            unsafe { libc::ptrace(libc::PTRACE_SINGLESTEP, child, nothing, signal as usize) };
        assert_eq!(stepped, 0, "the child cannot be stepped");
        count += 1;
    }
}
