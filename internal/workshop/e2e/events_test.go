package e2e

import (
	"encoding/json"
	"errors"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
)

type event struct {
	Entity, ID, Type, State, Reason string
	Erased                          bool
}

func (s *Stack) events(args ...string) (events []event) {
	s.t.Helper()
	require.NoError(s.t, json.Unmarshal([]byte(s.Konbit(append([]string{"stripe", "events", "list", "--json"}, args...)...)), &events))
	return events
}

// failed checks that a command ended with status 1.
func (s *Stack) failed(err error) {
	s.t.Helper()
	var ended *exec.ExitError
	require.True(s.t, errors.As(err, &ended), "%v", err)
	require.Equal(s.t, 1, ended.ExitCode())
}

// TestPoisonStopsNobody breaks the receipts of one entity, so that its events fail in our code. Events of the other
// entity are processed. After the cause is repaired, one command processes all events. (Row 16 of the promises.)
func TestPoisonStopsNobody(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	s.DB.Owner.MustExec(`
		CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken on purpose'; END $$;
		CREATE TRIGGER broken BEFORE INSERT ON receipt FOR EACH ROW
			WHEN (NEW.facts->>'entity' = 'tsne' OR NEW.facts::text LIKE '%TSNE%') EXECUTE FUNCTION broken()`)
	poisoned := s.begin("csio", form("Poisoned"))
	require.NoError(t, s.Stripe().Pay(poisoned.session, stripefake.GoodCard))
	s.give("grassroots-international", "Unharmed")
	testkit.Eventually(t, waitTimeout, func() error {
		s.MakeParkedDue() // instead of waiting a minute
		if aside := s.events("--state", "set_aside"); len(aside) == 0 || len(s.events("--state", "parked", "--entity", "tsne")) > 0 {
			return errors.New("not set aside yet")
		}
		return nil
	})
	aside := s.events("--state", "set_aside")
	require.True(t, slices.ContainsFunc(aside, func(e event) bool { return e.Type == "charge.succeeded" }))
	for _, e := range aside {
		require.Equal(t, "tsne", e.Entity)
		require.Contains(t, e.Reason, "broken on purpose")
	}
	require.Equal(t, 0, s.count(`SELECT count(*) FROM stripe_event WHERE failures > 5 OR state = 'set_aside' AND failures <> 5`))
	require.Contains(t, s.Konbit("stripe", "events", "list", "--state", "set_aside"), "broken on purpose")
	require.Equal(t, aside, s.events("--state", "set_aside", "--entity", "tsne"))
	require.Empty(t, s.events("--state", "set_aside", "--entity", "grassroots-international"))

	s.DB.Owner.MustExec(`DROP TRIGGER broken ON receipt`)
	require.Equal(t, "0 put back.\n", s.Konbit("stripe", "events", "replay", "--set-aside", "--entity", "grassroots-international"))
	var replayed struct {
		PutBack []string `json:"put_back"`
	}
	require.NoError(t, json.Unmarshal([]byte(s.Konbit("stripe", "events", "replay", "--set-aside", "--json")), &replayed))
	require.Len(t, replayed.PutBack, len(aside))
	s.waitStatus(poisoned, "settled")
	s.waitForEmails(2)
	require.Equal(t, 2, s.count(`SELECT count(*) FROM receipt`))
	require.Empty(t, s.events("--state", "set_aside"))
	s.Konbit("ledger", "verify")
}

// TestReplayOfADoneEventChangesNothing also checks that replay of an event without payload says so.
func TestReplayOfADoneEventChangesNothing(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	s.give("csio", "Again")
	s.waitForEmails(1)
	s.waitIdle()
	state := func() string {
		return s.Konbit("ledger", "balance", "--json") + s.journal()
	}
	before := state()
	args := []string{"stripe", "events", "replay"}
	for _, e := range s.events() {
		args = append(args, e.ID)
	}
	require.Greater(t, len(args), 4)
	s.Konbit(args...)
	s.waitIdle()
	require.Equal(t, before, state())
	s.waitForEmails(1)
	require.Equal(t, 1, s.count(`SELECT count(*) FROM receipt`))
	require.Len(t, s.events("--limit", "1"), 1)

	charge := s.events()[0].ID
	s.DB.Owner.MustExec(`UPDATE stripe_event SET payload = NULL WHERE id = $1`, charge)
	output, err := s.TryKonbit("stripe", "events", "replay", charge, "evt_unheard")
	s.failed(err)
	require.Equal(t, "0 put back.\n"+charge+": its payload was erased after 90 days; left as it is.\nevt_unheard: no such event is stored.\n", output)
	time.Sleep(time.Second)
	require.Empty(t, s.events("--state", "waiting"))
	require.Contains(t, s.Konbit("stripe", "events", "list"), "done (erased)")
}
