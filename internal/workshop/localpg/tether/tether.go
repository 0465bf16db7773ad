// Package tether starts programs that never outlive us.
//
// A /bin/sh supervisor stands between the launching process and the program and reads a pipe whose only writer is the launcher.
// However the launcher ends, SIGKILL included, the pipe ends with it, and the supervisor asks the program to end: by a signal,
// after 30 seconds by SIGQUIT, after 40 by SIGKILL. It needs nothing but a POSIX shell, so it holds on macOS too.
package tether

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

//go:embed supervise.sh
var supervise string

// Options say how a program ends.
type Options struct {
	Signal   string // asks it to end, as kill(1) names it: TERM, INT, QUIT
	Leftover string // a directory removed when it has ended, with the program's own rights; empty: none
}

// A Process is a program on its tether.
type Process struct {
	writer *os.File
	end    sync.Once
	done   chan struct{}
	exit   error // valid once done is closed
}

// Start starts cmd under a supervisor. It sets cmd's standard input, puts it in a process group of its own, so that a Ctrl-C on
// our terminal reaches us alone, and lets it inherit cmd.ExtraFiles[0], if any. The program never reads anything.
func Start(cmd *exec.Cmd, o Options) (*Process, error) {
	if cmd.Err != nil {
		return nil, cmd.Err
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	cmd.Args = append([]string{"/bin/sh", "-c", supervise, "tether", o.Signal, o.Leftover, cmd.Path}, cmd.Args[1:]...)
	cmd.Path, cmd.Stdin = "/bin/sh", reader
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	if err := cmd.Start(); err != nil {
		writer.Close()
		return nil, fmt.Errorf("start the supervisor: %w", err)
	}
	p := &Process{writer: writer, done: make(chan struct{})}
	go func() {
		p.exit = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Stop asks the program to end and waits until it has. Stopping an ended one does nothing.
func (p *Process) Stop() {
	p.end.Do(func() { _ = p.writer.Close() })
	<-p.done
}

// Done is closed when the program has ended, asked or not.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is how the program ended, nil for status 0. It is valid once Done is closed.
func (p *Process) Err() error { return p.exit }
