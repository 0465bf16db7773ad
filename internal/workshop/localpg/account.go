package localpg

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// An account is who the server runs as. The zero account is ourselves.
type account struct {
	name     string
	uid, gid int
}

// serverAccount is ourselves unless we are root, as whom PostgreSQL refuses to run.
func serverAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return account{}, fmt.Errorf("localpg: user %s: %w", name, err)
		}
		return account{name, uid, gid}, nil
	}
	return account{}, errors.New("localpg: PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")
}

// attr starts a child as the account.
func (a account) attr() *syscall.SysProcAttr {
	if a.name == "" {
		return &syscall.SysProcAttr{}
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}}
}

// own gives dir and what is in it to the account. It does nothing when the account is ourselves.
func (a account) giveTo(dir string) error {
	if a.name == "" {
		return nil
	}
	return filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, a.uid, a.gid)
	})
}

// ErrUnreachable is wrapped by the error of Start, and returned by Reachable, when the account the server must run as may not
// enter a directory above the data (typically /root).
var ErrUnreachable = errors.New("directory closed to the database's user")

// Reachable reports whether the server could use a data directory at path, which need not exist yet.
func Reachable(path string) error {
	who, err := serverAccount()
	if err != nil {
		return err
	}
	return who.checkReach(path)
}

func (a account) checkReach(path string) error {
	if a.name == "" {
		return nil
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("localpg: %w", err)
	}
	for dir := filepath.Dir(abs); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err == nil && !a.canEnter(info) {
			return fmt.Errorf("localpg: %w: %s may not enter %s, above %s", ErrUnreachable, a.name, dir, abs)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("localpg: %w", err)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// enters reads the search bit that applies to the account; the class is decided by owner, then group, as the kernel does.
func (a account) canEnter(dir os.FileInfo) bool {
	bit := os.FileMode(0o001)
	if st, ok := dir.Sys().(*syscall.Stat_t); ok {
		switch {
		case int(st.Uid) == a.uid:
			bit = 0o100
		case int(st.Gid) == a.gid:
			bit = 0o010
		}
	}
	return dir.Mode().Perm()&bit != 0
}
