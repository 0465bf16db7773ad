package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/joho/godotenv"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
)

// A screen is what a person sees of the demo.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// running starts a demo on free ports and returns its settings, its screen, and what ends it as Ctrl-C does.
func running(t *testing.T, dir string) (env map[string]string, shown *screen, end func() error) {
	t.Helper()
	testkit.SkipIfShort(t, "the program and PostgreSQL")
	free := "127.0.0.1:0"
	ctx, interrupt := context.WithCancel(context.Background())
	shown = &screen{}
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, config{dir: dir, addr: free, card: free, mailAddr: free}, shown)
		close(ended)
	}()
	end = func() error { interrupt(); return <-ended }
	t.Cleanup(func() { _ = end() })
	for !strings.Contains(shown.String(), "Konbit is ready") {
		select {
		case err := <-ended:
			t.Fatalf("the demo ended: %v\n%s", err, shown)
		case <-time.After(20 * time.Millisecond):
		}
	}
	env, err := godotenv.Read(envPath(dir))
	require.NoError(t, err)
	return env, shown, end
}

func body(t *testing.T, address string) string {
	t.Helper()
	resp, err := http.Get(address)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode, address)
	all, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(all)
}

func TestWholeDemo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	t.Cleanup(func() { _ = reset(context.Background(), config{dir: dir}, io.Discard) })
	env, shown, end := running(t, dir)

	for _, page := range []string{"/readyz", "/give/csio", "/give/csio?lang=es", "/give/grassroots-international"} {
		body(t, env["BASE_URL"]+page)
	}
	for _, line := range strings.Split(shown.String(), "\n") {
		if at := strings.Index(line, "http://"); at >= 0 {
			body(t, strings.TrimSpace(line[at:])) // every address it prints is one
		}
	}
	var state map[string]any
	require.NoError(t, json.Unmarshal([]byte(body(t, env["STRIPE_API_URL"]+"/_sandbox/state")), &state))
	require.Contains(t, state, "checkout_sessions")

	balance := exec.Command("sh", "-c", `set -a; . "$1/env"; "$1/konbit" ledger balance --json`, "sh", dir)
	balance.Dir = t.TempDir() // no .env of this machine's owner
	out, err := balance.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.JSONEq(t, `[]`, string(out))

	hasty, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, reset(hasty, config{dir: dir}, io.Discard), "in use", "a running demo keeps its data")

	require.NoError(t, end())
	_, err = http.Get(env["BASE_URL"] + "/healthz")
	require.Error(t, err)

	again, _, _ := running(t, dir)
	require.Equal(t, env["SECRET_KEY"], again["SECRET_KEY"])
	body(t, again["BASE_URL"]+"/give/csio")
}
