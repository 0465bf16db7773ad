package localpg

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

const (
	// memoryDir is where Linux mounts its memory file system for programs, shm_overview(7). Other systems have none.
	memoryDir = "/dev/shm"
	// memoryNeeded is the free space, in bytes, that a cluster in memory wants to find. A package's tests use at most a
	// quarter of it; the rest is for packages whose tests run at the same time.
	memoryNeeded = 2 << 30
	// ownerLock is a file in each temporary directory. The process that made the directory holds its lock until the
	// process ends.
	ownerLock = "owner.lock"
)

// A TempDir is a directory for clusters that do not outlive the process.
type TempDir struct {
	Path  string
	owner *os.File
}

// NewTempDir creates a temporary directory with mode 0700, under /tmp or, if inMemory is true, in the memory file
// system. If that has no room the directory is under /tmp, and standard error says so once. Directories that killed
// processes of the same user left behind are removed first.
//
// In memory a new database (674 files) is copied in about 30 ms instead of 400. A commit there survives the end of
// PostgreSQL by SIGKILL, but not the end of the machine.
func NewTempDir(inMemory bool) (*TempDir, error) {
	root := shortTemp()
	if inMemory {
		if err := memoryHasRoom(); err == nil {
			root = memoryDir
		} else {
			reportOnDisk(err)
		}
	}
	return newTempDir(root)
}

// newTempDir locks the directory before it gets a name that removeLeftovers looks for: a directory of that name without
// a lock was left behind.
func newTempDir(root string) (*TempDir, error) {
	removeLeftovers(root)
	path, err := os.MkdirTemp(root, "konbit-new-")
	if err != nil {
		return nil, fmt.Errorf("localpg: %w", err)
	}
	owner, err := tryLock(filepath.Join(path, ownerLock))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(path))
	}
	d := &TempDir{filepath.Join(root, tempPrefix()+strings.TrimPrefix(filepath.Base(path), "konbit-new-")), owner}
	if err := os.Rename(path, d.Path); err != nil {
		return nil, errors.Join(fmt.Errorf("localpg: %w", err), os.RemoveAll(path), owner.Close())
	}
	return d, nil
}

// Remove deletes the directory with what is in it. Servers on it must have ended.
func (d *TempDir) Remove() error {
	return errors.Join(os.RemoveAll(d.Path), d.owner.Close())
}

// release gives the lock back. It is called when the directory has been deleted by other means.
func (d *TempDir) release() { _ = d.owner.Close() }

// tempPrefix begins the names of this user's temporary directories.
func tempPrefix() string { return fmt.Sprintf("konbit-pg-%d-", os.Getuid()) }

// removeLeftovers deletes this user's temporary directories whose process and servers have ended. The supervisor of a
// server deletes its directory even after a SIGKILL of the launcher; a directory is left behind only if the supervisor
// is killed too.
func removeLeftovers(root string) {
	dirs, _ := filepath.Glob(filepath.Join(root, tempPrefix()+"*")) // the only error is a malformed pattern
	for _, dir := range dirs {
		if info, err := os.Lstat(dir); err == nil && info.IsDir() {
			removeUnlocked(dir)
		}
	}
}

// removeUnlocked deletes dir unless a process holds the lock of its owner or of a cluster in it. It keeps the locks
// while it deletes, so that a second process leaves the directory alone.
func removeUnlocked(dir string) {
	paths, _ := filepath.Glob(filepath.Join(dir, "*.lock"))
	for _, path := range paths {
		held, err := tryLock(path)
		if err != nil {
			return
		}
		defer held.Close()
	}
	_ = os.RemoveAll(dir) // what cannot be deleted now is tried again by the next process
}

// errLocked means that another process holds the lock. tryLock wraps it.
var errLocked = errors.New("another process holds it")

// tryLock opens the file at path, creates it if there is none, and takes its lock. It does not wait.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("localpg: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errLocked
		}
		return nil, fmt.Errorf("localpg: lock %s: %w", path, err)
	}
	return f, nil
}

// memoryHasRoom reports an error if memoryDir is not a memory file system or if memoryNeeded bytes are not free there.
// The size of that file system is only a limit, so it reads the free memory of the machine too.
func memoryHasRoom() error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(memoryDir, &fs); err != nil {
		return fmt.Errorf("%s: %w", memoryDir, err)
	}
	if free := uint64(fs.Bavail) * uint64(fs.Bsize); free < memoryNeeded {
		return fmt.Errorf("%s has %d MB free and %d MB are needed", memoryDir, free>>20, memoryNeeded>>20)
	}
	free, err := availableMemory()
	if err == nil && free < 2*memoryNeeded {
		err = fmt.Errorf("the machine has %d MB of memory free and %d MB are needed", free>>20, 2*memoryNeeded>>20)
	}
	return err
}

// availableMemory returns the bytes of memory that programs can still use without swapping (MemAvailable in proc(5)).
func availableMemory() (uint64, error) {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var kB uint64
		if _, err := fmt.Sscanf(s.Text(), "MemAvailable: %d kB", &kB); err == nil {
			return kB << 10, nil
		}
	}
	return 0, errors.New("/proc/meminfo does not name the available memory")
}

var onDiskOnce sync.Once

func reportOnDisk(why error) {
	onDiskOnce.Do(func() {
		fmt.Fprintf(os.Stderr, "localpg: the test databases are on disk and several times slower than in memory: %v\n", why)
	})
}
