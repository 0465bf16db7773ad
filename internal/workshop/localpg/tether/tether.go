// Package tether starts programs that end when the launching process ends.
//
// A /bin/sh supervisor runs between the launching process and the program and reads a pipe whose only writer is the
// launcher. When the launcher ends, even by SIGKILL, the pipe is closed, and the supervisor ends the program: by a
// signal, after 30 seconds by SIGQUIT, after 40 seconds by SIGKILL. It needs only a POSIX shell, so it works on macOS
// too.
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

// Options describe how a program ends.
type Options struct {
	Signal   string // ends the program, as kill(1) names it: TERM, INT, QUIT
	Leftover string // a directory that is removed after the program's end, with the program's rights; empty: none
}

// A Process is a program under a supervisor.
type Process struct {
	writer *os.File
	end    sync.Once
	done   chan struct{}
	exit   error // valid once done is closed
}

// Start starts cmd under a supervisor. It sets cmd's standard input and process group: a Ctrl-C on our terminal does
// not reach the program. The program inherits cmd.ExtraFiles[0], if any. It can read nothing from standard input.
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

// Stop ends the program and waits until it has ended. It does nothing if the program has ended.
func (p *Process) Stop() {
	p.end.Do(func() { _ = p.writer.Close() })
	<-p.done
}

// Done returns a channel that is closed when the program has ended for any reason.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err returns how the program ended: nil for status 0. It is valid after Done is closed.
func (p *Process) Err() error { return p.exit }
