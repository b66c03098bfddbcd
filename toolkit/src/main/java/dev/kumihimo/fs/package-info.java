/**
 * Files for tasks: {@link dev.kumihimo.fs.Fs} for whole files and directories, {@link dev.kumihimo.fs.FileHandle} for one that is
 * kept open, {@link dev.kumihimo.fs.Lines}, {@link dev.kumihimo.fs.FileWalk}. The work is done on the blocking pool, so that no
 * carrier is held by a disk.
 */
@NullMarked
package dev.kumihimo.fs;

import org.jspecify.annotations.NullMarked;
