/*
 * The token of a detached lock, between the processes that share it: in LOCKTOP_TOKEN, or in a
 * file that nobody else may read, named by --token-file or LOCKTOP_TOKEN_FILE. Never in an
 * argument, which ps(1) shows to everybody.
 */
#ifndef LOCKTOP_CLI_TOKEN_FILE_H
#define LOCKTOP_CLI_TOKEN_FILE_H

struct error;

/*
 * Could the file be written? There is none, or it is a regular file of ours without rights for
 * others. 0, or -errno with a sentence. Asked before a lock is waited for.
 */
int token_file_check(const char *path, struct error *err);
/*
 * Writes it, mode 0600: a new file that is renamed to the name, so that no reader sees half of
 * it and a symbolic link is not followed.
 */
int token_file_write(const char *path, const char token[33], struct error *err);
/* -EPERM: it is not ours, or others may read it; -EINVAL: no token is in it. */
int token_file_read(const char *path, char token[33], struct error *err);
/*
 * The token of the lock to be worked on: of the file, or of the environment (LOCKTOP_TOKEN, else
 * the file that LOCKTOP_TOKEN_FILE names). path NULL: the environment. -EINVAL: there is none.
 */
int token_find(const char *path, char token[33], struct error *err);

#endif
