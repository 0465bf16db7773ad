package e2e

import (
	"bytes"
	"os/exec"
	"time"
)

// KonbitKilled runs one command of the program and kills it (SIGKILL) when now returns true. It returns false if the
// command ended successfully before that. An error of the command ends the test.
func (s *Stack) KonbitKilled(now func() bool, args ...string) (killed bool) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), s.program(s.binary), args...)
	var complaint bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stderr = s.dir, s.environ(nil), &complaint
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("e2e: konbit %q: %v", args, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			if err != nil {
				s.t.Fatalf("e2e: konbit %q: %v\n%s", args, err, complaint.String())
			}
			return false
		case <-time.After(2 * time.Millisecond):
			if now() {
				_ = cmd.Process.Kill()
				<-ended
				return true
			}
		}
	}
}
