package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/joho/godotenv"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/testkit/short"
)

// terminal collects the output of the demo.
type terminal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *terminal) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *terminal) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// startDemo starts a demo on free ports. It returns its settings, its output, and a function that ends it as Ctrl-C
// does.
func startDemo(t *testing.T, c config) (env map[string]string, output *terminal, end func() error) {
	t.Helper()
	short.Skip(t, "the program and PostgreSQL")
	c.addr, c.cardAddr, c.mailAddr = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	ctx, interrupt := context.WithCancel(context.Background())
	output = &terminal{}
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, c, output)
		close(ended)
	}()
	end = func() error { interrupt(); return <-ended }
	t.Cleanup(func() { _ = end() })
	for !strings.Contains(output.String(), "Konbit is ready") {
		select {
		case err := <-ended:
			t.Fatalf("the demo ended: %v\n%s", err, output)
		case <-time.After(20 * time.Millisecond):
		}
	}
	env, err := godotenv.Read(envPath(c.dir))
	require.NoError(t, err)
	return env, output, end
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
	staff := []mailcatch.Login{{Email: "fe@staff.example", Role: "finance", Entity: "tsne", Password: "correct horse 7 battery", Secret: "JBSWY3DPEHPK3PXP"}}
	env, output, end := startDemo(t, config{dir: dir, staff: staff})

	for _, page := range []string{"/readyz", "/give/csio", "/give/csio?lang=es", "/give/grassroots-international"} {
		body(t, env["BASE_URL"]+page)
	}
	require.Regexp(t, `(?m)^  finance +tsne +fe@staff\.example +correct horse 7 battery$`, output)
	for _, line := range strings.Split(output.String(), "\n") {
		if strings.Contains(line, "/office/sign-in") {
			line = line[strings.LastIndex(line, " "):] // the address of the codes; the office is not built yet
		}
		if at := strings.Index(line, "http://"); at >= 0 {
			body(t, strings.TrimSpace(line[at:])) // every printed address answers
		}
	}
	var state map[string]any
	require.NoError(t, json.Unmarshal([]byte(body(t, env["STRIPE_API_URL"]+"/_sandbox/state")), &state))
	require.Contains(t, state, "checkout_sessions")

	authenticator := regexp.MustCompile(`http://\S+/authenticator`).FindString(output.String())
	var codes []map[string]any
	require.NoError(t, json.Unmarshal([]byte(body(t, authenticator+".json")), &codes))
	require.Len(t, codes, 1)
	require.Equal(t, "fe@staff.example", codes[0]["email"])
	require.Regexp(t, `^\d{6}$`, codes[0]["code"])

	db, err := sql.Open("postgres", env["DATABASE_OWNER_URL"])
	require.NoError(t, err)
	defer db.Close()
	var follows bool
	require.NoError(t, db.QueryRow(`SELECT erasure_delay = '0' FROM server_limit`).Scan(&follows))
	require.True(t, follows, "an erasure is done when the stand-in's clock passes its day")

	balance := exec.Command("sh", "-c", `set -a; . "$1/env"; "$1/konbit" ledger balance --json`, "sh", dir)
	balance.Dir = t.TempDir() // a directory without .env
	out, err := balance.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.JSONEq(t, `[]`, string(out))

	limited, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, reset(limited, config{dir: dir}, io.Discard), "in use", "a running demo keeps its data")

	require.NoError(t, end())
	_, err = http.Get(env["BASE_URL"] + "/healthz")
	require.Error(t, err)

	again, _, _ := startDemo(t, config{dir: dir})
	require.Equal(t, env["SECRET_KEY"], again["SECRET_KEY"])
	body(t, again["BASE_URL"]+"/give/csio")
}
