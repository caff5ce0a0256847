/** Preloaded into what launch.mjs starts: when the launcher is killed outright, everything it started ends with it. */

const group = process.platform === 'win32' ? process.pid : -process.pid;
// The launcher ends by itself only after we have ended, so a closed channel means that it was killed.
process.once('disconnect', () => process.kill(group, 'SIGKILL'));
// Neither the channel nor its messages are the program's business.
process.channel?.unref();
