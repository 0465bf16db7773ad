package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// StandbyName is the standby's name at its primary, for synchronous_standby_names.
const StandbyName = "konbit_standby"

func (s *Server) conninfo() string {
	return fmt.Sprintf("host=%s port=%s user=postgres application_name=%s", s.socketDir, port, StandbyName)
}

// follow makes data a standby of o.Follow. A former primary that was killed before it had sent all its log must be
// removed first, so that it is copied again.
func (o Options) follow(ctx context.Context, who account, data string) error {
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); errors.Is(err, os.ErrNotExist) {
		if err := o.Follow.Copy(ctx, data); err != nil {
			return err
		}
	}
	signal := filepath.Join(data, "standby.signal")
	if err := errors.Join(os.WriteFile(signal, nil, 0o600), who.giveTo(data)); err != nil {
		return fmt.Errorf("localpg: %w", err)
	}
	return nil
}

// archive creates the archive's directory. If o.Recover is set, it tells PostgreSQL to recover from it.
func (o Options) archive(who account, data string) error {
	if o.Archive == "" {
		return nil
	}
	err := errors.Join(os.MkdirAll(o.Archive, 0o755), who.giveTo(o.Archive))
	if o.Recover {
		err = errors.Join(err, os.WriteFile(filepath.Join(data, "recovery.signal"), nil, 0o600), who.giveTo(data))
	}
	if err != nil {
		return fmt.Errorf("localpg: %w", err)
	}
	return nil
}

// Copy writes a base backup of the running server to dataDir, which it creates.
func (s *Server) Copy(ctx context.Context, dataDir string) error {
	who, err := serverAccount()
	if err != nil {
		return err
	}
	if err := errors.Join(os.MkdirAll(dataDir, 0o700), who.giveTo(dataDir)); err != nil {
		return fmt.Errorf("localpg: %w", err)
	}
	return s.run(ctx, who, "pg_basebackup", "--host="+s.socketDir, "--port="+port, "--username=postgres", "--pgdata="+dataDir,
		"--wal-method=stream", "--checkpoint=fast", "--no-sync")
}

// run runs a program of the server's installation.
func (s *Server) run(ctx context.Context, who account, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, program), args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = "/", environment(), who.attr()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("localpg: %s: %w: %s", program, err, out)
	}
	return nil
}

// Promote makes a standby the primary and returns when it accepts writes.
func (s *Server) Promote(ctx context.Context) error {
	return s.admin(ctx, "promote", `SELECT pg_promote(true, 60)`, "")
}

// Set changes a setting of the running server permanently, unless the setting was given when the server was started.
func (s *Server) Set(ctx context.Context, name, value string) error {
	if err := s.admin(ctx, "alter system", "ALTER SYSTEM SET "+name+" = '"+value+"'", ""); err != nil {
		return err
	}
	return s.admin(ctx, "reload", `SELECT pg_reload_conf()`, "")
}

// Kill ends the server as a power cut does: it writes nothing more and its connections end.
func (s *Server) Kill() error {
	number, _ := readPIDFile(s.data)
	pid, err := strconv.Atoi(number)
	if err != nil {
		return fmt.Errorf("localpg: %s has no running server: %w", s.data, err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil { // the other processes notice and end
		return fmt.Errorf("localpg: %w", err)
	}
	<-s.Done()
	return nil
}
