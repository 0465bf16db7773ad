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

// An account is the operating-system user that runs the server. The zero account is the current user.
type account struct {
	name     string
	uid, gid int
}

// serverAccount returns the current user, or another user if the current user is root: PostgreSQL does not run as root.
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

// attr returns the attributes that start a child process as the account.
func (a account) attr() *syscall.SysProcAttr {
	if a.name == "" {
		return &syscall.SysProcAttr{}
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}}
}

// giveTo changes the owner of dir and everything in it to the account. It does nothing for the zero account.
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

// ErrUnreachable means that the server's account may not enter a directory above the data (typically /root). Start
// wraps it and Reachable returns it.
var ErrUnreachable = errors.New("directory closed to the database's user")

// Reachable reports an error if the server cannot use a data directory at path. The directory need not exist yet.
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

// canEnter reads the execute bit that applies to the account. Like the kernel, it looks at the owner first, then at the
// group.
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
