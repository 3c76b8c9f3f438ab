// libmount has no .a in Debian. gio lists mounts with it, which the libvirt client never asks for.
#include <libmount/libmount.h>
#include <stddef.h>

void mnt_free_iter(struct libmnt_iter*) {}
void mnt_free_table(struct libmnt_table*) {}
const char* mnt_fs_get_fstype(struct libmnt_fs*) { return NULL; }
const char* mnt_fs_get_options(struct libmnt_fs*) { return NULL; }
const char* mnt_fs_get_root(struct libmnt_fs*) { return NULL; }
const char* mnt_fs_get_source(struct libmnt_fs*) { return NULL; }
const char* mnt_fs_get_target(struct libmnt_fs*) { return NULL; }
char* mnt_fs_strdup_options(struct libmnt_fs*) { return NULL; }
const struct libmnt_optmap* mnt_get_builtin_optmap(int) { return NULL; }
const char* mnt_get_fstab_path(void) { return "/etc/fstab"; }
int mnt_has_regular_mtab(const char**, int*) { return 0; }
struct libmnt_iter* mnt_new_iter(int) {
  return NULL;
}
struct libmnt_table* mnt_new_table(void) {
  return NULL;
}
int mnt_optstr_get_flags(const char*, unsigned long* flags, const struct libmnt_optmap*) {
  if (flags) *flags = 0;
  return 0;
}
int mnt_table_parse_fstab(struct libmnt_table*, const char*) { return -1; }
int mnt_table_parse_mtab(struct libmnt_table*, const char*) { return -1; }
int mnt_table_next_fs(struct libmnt_table*, struct libmnt_iter*, struct libmnt_fs**) { return 1; }
