package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
)

// stripeAPI does in an entity's account what a person does in its dashboard.
func (s *Stack) stripeAPI(method, entity, path string, form url.Values) []byte {
	s.t.Helper()
	req, err := http.NewRequest(method, s.StripeURL()+path, bytes.NewBufferString(form.Encode()))
	require.NoError(s.t, err)
	req.SetBasicAuth("sk_test_"+entity, "")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	got := s.read(http.DefaultClient.Do(req))
	require.Equal(s.t, http.StatusOK, got.status, got.body)
	return []byte(got.body)
}

// TestMigrateTwiceAtOnce: a server waits on an empty database while two processes migrate it at the same time.
func TestMigrateTwiceAtOnce(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Stopped: true})
	empty := testkit.EmptyDB(t)
	s.settings["DATABASE_URL"], s.settings["DATABASE_OWNER_URL"] = empty.ServerURL, empty.OwnerURL
	s.Launch()
	testkit.Eventually(t, readyWithin, func() error {
		if !s.Running() {
			t.Fatalf("a server on an empty database waits for its tables; it ended:\n%s", s.Log())
		}
		resp, err := http.Get(s.URL() + "/readyz")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable {
			return fmt.Errorf("readyz answers %s", resp.Status)
		}
		return nil
	})
	output, err := s.TryKonbit("doctor")
	s.failed(err)
	require.Contains(t, output, "✗ migrations: ")
	require.Contains(t, output, "to run: konbit migrate")

	errs := make([]error, 2)
	var both sync.WaitGroup
	for i := range errs {
		both.Go(func() { _, errs[i] = s.TryKonbit("migrate") })
	}
	both.Wait()
	require.NoError(t, errors.Join(errs...))
	s.WaitReady()
	s.Konbit("migrate")

	s.Konbit("apply", filepath.Join(source(t), "cmd", "demo", "demo.yaml"))
	s.DB = empty                                      // what the stack's helpers ask
	testkit.Eventually(t, readyWithin, func() error { // a server reads a new organisation within seconds
		resp, err := http.DefaultClient.Get(s.URL() + "/give/csio")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("the form answers %s", resp.Status)
		}
		return nil
	})
	s.give("csio", "Patient")
	s.waitForEmails(1)
}
