package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
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

// codesOf returns what the authenticator shows, at the address that the demo prints.
func codesOf(t *testing.T, output *terminal) (codes []mailcatch.Code) {
	t.Helper()
	authenticator := regexp.MustCompile(`http://\S+/authenticator`).FindString(output.String())
	require.NoError(t, json.Unmarshal([]byte(body(t, authenticator+".json")), &codes))
	return codes
}

// signIn signs a member of the staff in, in a new browser, and returns the page to which that leads.
func signIn(t *testing.T, base string, c mailcatch.Code) (string, error) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := http.Client{Jar: jar}
	resp, err := browser.PostForm(base+"/office/sign-in", url.Values{"email": {c.Email}, "password": {c.Password}, "code": {c.Code}})
	require.NoError(t, err)
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s signs in: %s", c.Email, resp.Status)
	}
	return string(page), err
}

func TestWholeDemo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	t.Cleanup(func() { _ = reset(context.Background(), config{dir: dir}, io.Discard) })
	env, output, end := startDemo(t, config{dir: dir})

	for _, page := range []string{"/readyz", "/give/csio", "/give/csio?lang=es", "/give/grassroots-international"} {
		body(t, env["BASE_URL"]+page)
	}
	for _, address := range regexp.MustCompile(`http://\S+`).FindAllString(output.String(), -1) {
		body(t, address) // every printed address answers
	}
	var state map[string]any
	require.NoError(t, json.Unmarshal([]byte(body(t, env["STRIPE_API_URL"]+"/_sandbox/state")), &state))
	require.Contains(t, state, "checkout_sessions")

	codes := codesOf(t, output)
	require.Len(t, codes, len(staffMembers))
	finance, roles := map[string]int{}, map[string]bool{}
	for _, c := range codes {
		require.Regexp(t, `(?m)^  `+c.Role+` +\S+ +`+regexp.QuoteMeta(c.Email)+` +`+c.Password+`$`, output)
		if roles[c.Role] = true; c.Role == "finance" && c.Org == "" {
			finance[c.Entity]++
		}
		page, err := signIn(t, env["BASE_URL"], c)
		require.NoError(t, err)
		require.Contains(t, page, "/office/"+c.Entity, "%s signs in at once, with the code that is shown", c.Email)
	}
	require.Equal(t, map[string]int{"tsne": 2, "grassroots-international": 2}, finance)
	require.Len(t, roles, 4)

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

	require.NoError(t, os.Remove(filepath.Join(dir, "staff.json")))
	again, output, _ := startDemo(t, config{dir: dir})
	require.Equal(t, env["SECRET_KEY"], again["SECRET_KEY"])
	require.Len(t, codesOf(t, output), len(codes))
	_, err = signIn(t, again["BASE_URL"], codesOf(t, output)[0])
	require.NoError(t, err, "a secret that was lost is replaced by konbit staff reset")
	body(t, again["BASE_URL"]+"/give/csio")
}
