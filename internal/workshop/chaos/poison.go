package chaos

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

func init() {
	register(Row{
		Name: "poison", No: "16", Short: 200, Long: 10_000, Prove: Poison,
		Promise: "events, some of them invalid in every way: the good ones are processed at once, the bad ones are refused or stored as " +
			"failed with a reason within five attempts, and one that failed by our fault is processed when it is replayed after the " +
			"repair",
	})
}

const (
	postmen   = 4
	pace      = 10 * time.Millisecond // between the events of one gift
	mostTries = 5
	lag       = 5 * time.Second // of 99 in 100 good events, from stored to processed
	// failingTrigger simulates a fault of the program: each receipt with an amount that no other gift has
	// cannot be issued.
	failingTrigger = `CREATE FUNCTION poisoned() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'poisoned on purpose'; END $$;
		CREATE TRIGGER poisoned BEFORE INSERT ON receipt FOR EACH ROW WHEN (NEW.facts->'amount'->>'minor' = '6660') EXECUTE FUNCTION poisoned()`
)

// Poison sends the events of the gifts, each gift's in order, and bad ones between them: one in two hundred
// in full, more in the short form. makeBadEvents lists the kinds of bad events and the state in which each
// ends. One gift's events fail by a fault of the program; the fault is repaired and they are replayed.
func Poison(t testing.TB, run Run) {
	s := e2e.Start(t, e2e.Options{Stripe: stripefake.Options{Seed: run.Seed | 1}})
	require.NoError(t, s.Stripe().SetMode(stripefake.Hold))
	p := &poison{t: t, s: s, run: run, r: rand.New(rand.NewPCG(run.Seed, 16)), bad: map[string]string{}}
	s.DB.Owner.MustExec(failingTrigger)
	p.giveAll()
	p.deliverAll()
	p.checkGoodEvents()
	p.checkBadEvents()
	p.replay()
	p.checkFindings()
}

// replay repairs the program's fault and replays the failed events: that of the charge, and those of the same gift that
// had their five attempts too before the repair.
func (p *poison) replay() {
	p.s.DB.Owner.MustExec(`DROP TRIGGER poisoned ON receipt`)
	p.s.Konbit(append([]string{"stripe", "events", "replay"}, p.ours...)...)
	all := strings.Join(slices.Concat(p.ours, p.waiting), ",")
	testkit.Eventually(p.t, drained, func() error {
		p.s.MakeParkedDue()
		var rows []struct{ ID, State string }
		err := p.s.DB.Owner.Select(&rows, `SELECT id, state FROM stripe_event WHERE state <> 'done' AND id = ANY(string_to_array($1, ','))`, all)
		for _, r := range rows {
			if r.State == "set_aside" {
				p.s.Konbit("stripe", "events", "replay", r.ID)
			}
		}
		if err == nil && len(rows) > 0 {
			err = fmt.Errorf("%d events of the repaired gift are not done", len(rows))
		}
		return err
	})
	require.Equal(p.t, p.gifts+1, p.count(`donation WHERE status = 'settled'`), "and the gift that was poisoned")
	require.Equal(p.t, p.gifts+1, p.count(`receipt`))
}

// checkFindings checks that the checkers find the bad events that stay set aside, and nothing else, and that their
// entities have a task.
func (p *poison) checkFindings() {
	var want []string
	for id, end := range p.bad {
		if end == "set_aside" && !slices.Contains(p.ours, id) {
			want = append(want, id)
		}
	}
	out, err := p.s.TryKonbit("ledger", "verify", "--json")
	require.Error(p.t, err, "events are set aside")
	var report struct {
		Findings []json.RawMessage `json:"findings"`
		Checks   []struct {
			Checker string `json:"checker"`
			Count   int    `json:"count"`
			Rows    []struct {
				Subject string `json:"subject"`
			} `json:"rows"`
		} `json:"checks"`
	}
	require.NoError(p.t, json.Unmarshal([]byte(out), &report))
	require.Empty(p.t, report.Findings)
	for _, c := range report.Checks {
		if c.Checker != "A15" {
			require.Zero(p.t, c.Count, c.Checker)
			continue
		}
		require.Equal(p.t, len(want), c.Count)
		for _, row := range c.Rows {
			require.Contains(p.t, want, row.Subject)
		}
	}
	p.s.Restart() // a server looks for events set aside when it starts, and then every minute
	testkit.Eventually(p.t, drained, func() error {
		if p.count(`finance_task WHERE kind = 'events_set_aside' AND closed_at IS NULL`) == 0 {
			return errors.New("no task about the events set aside")
		}
		return nil
	})
}

// poison is what was sent.
type poison struct {
	t   testing.TB
	s   *e2e.Stack
	run Run
	r   *rand.Rand

	gifts      int
	goodEvents [][][]byte        // good events, by gift, in order
	ourEvents  int               // events of the gift that fails by our own fault
	ours       []string          // of these, the events that must be stored as failed
	waiting    []string          // the events that may wait for them
	bad        map[string]string // by id: the state in which an accepted bad event must end
	mu         sync.Mutex
	wrong      []string
}

// giveAll gives gifts until there are enough events, and one more whose events fail by the program's fault.
func (p *poison) giveAll() {
	read := 0
	fresh := func() (events [][]byte) {
		for _, body := range p.s.Stripe().Objects(tsne, "event", read) {
			events = append(events, body)
		}
		read += len(events)
		return events
	}
	for ; read < p.run.Count; p.gifts++ {
		give(p.t, p.s, p.gifts, time.Minute)
		p.goodEvents = append(p.goodEvents, fresh())
	}
	page, err := submit(p.s.URL(), url.Values{
		"form": {uuid.NewString()}, "amount": {"other"}, "amount_other": {"66.60"}, "frequency": {"once"}, "first_name": {"Donor"},
		"last_name": {"Poisoned"}, "email": {"poisoned@donor.example"},
	})
	require.NoError(p.t, err)
	require.NoError(p.t, p.s.Stripe().Pay(path.Base(page), stripefake.GoodCard))
	for _, body := range fresh() {
		var e struct{ ID, Type string }
		require.NoError(p.t, json.Unmarshal(body, &e))
		p.requireStatus(body, stripefake.Sign(time.Now(), body, "whsec_tsne"), tsne, http.StatusOK)
		p.ourEvents++
		if e.Type == "charge.succeeded" {
			p.ours, p.bad[e.ID] = append(p.ours, e.ID), "set_aside"
		} else {
			p.waiting = append(p.waiting, e.ID) // until the charge's event is processed, unless it is fetched and fails too
		}
	}
}

// deliverAll posts all events and, at random places between them, the bad ones.
func (p *poison) deliverAll() {
	var queue = make(chan [][]byte)
	var men sync.WaitGroup
	for range postmen {
		men.Go(func() {
			for events := range queue {
				for _, body := range events {
					p.requireStatus(body, stripefake.Sign(time.Now(), body, "whsec_tsne"), tsne, http.StatusOK)
				}
				p.run.Progress(len(events))
				time.Sleep(pace)
			}
		})
	}
	bads := p.makeBadEvents()
	at := map[int][]bad{}
	for _, b := range bads {
		n := p.r.IntN(len(p.goodEvents))
		at[n] = append(at[n], b)
	}
	for n, events := range p.goodEvents {
		for _, b := range at[n] {
			p.requireStatus(b.body, stripefake.Sign(time.Now(), b.body, "whsec_tsne"), b.entity, b.status)
			if b.status == http.StatusOK {
				p.bad[b.id] = b.end
			}
		}
		queue <- events
	}
	close(queue)
	men.Wait()
	require.Empty(p.t, p.wrong)
	p.run.Record("bad events", fmt.Sprint(len(bads)))
}

// requireStatus posts a body and records an unexpected answer.
func (p *poison) requireStatus(body []byte, signature, door string, status int) {
	request, err := http.NewRequest(http.MethodPost, p.s.URL()+"/hooks/stripe/"+door, bytes.NewReader(body))
	require.NoError(p.t, err)
	request.Header.Set("Stripe-Signature", signature)
	response, err := program.Client().Do(request)
	if err == nil {
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode == status {
			return
		}
		err = fmt.Errorf("answered %d, not %d", response.StatusCode, status)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wrong = append(p.wrong, fmt.Sprintf("%.300s: %v", body, err))
}

func (p *poison) count(from string) (n int) {
	require.NoError(p.t, p.s.DB.Owner.Get(&n, `SELECT count(*) FROM `+from))
	return n
}

// checkGoodEvents waits for the good events and checks how long each took.
func (p *poison) checkGoodEvents() {
	good := 0
	for _, events := range p.goodEvents {
		good += len(events)
	}
	bad := slices.Clone(p.waiting)
	for id := range p.bad {
		bad = append(bad, id)
	}
	var lags []float64
	testkit.Eventually(p.t, drained, func() error {
		lags = nil
		err := p.s.DB.Owner.Select(&lags, `SELECT extract(epoch FROM done_at - received_at)::float8 FROM stripe_event
			WHERE state = 'done' AND NOT id = ANY(string_to_array($1, ',')) ORDER BY 1`, strings.Join(bad, ","))
		if err == nil && len(lags) < good {
			err = fmt.Errorf("%d of %d good events done", len(lags), good)
		}
		return err
	})
	require.True(p.t, slices.IsSorted(lags))
	p99 := time.Duration(lags[len(lags)*99/100] * float64(time.Second))
	p.run.Record("lag p99", p99.Round(time.Millisecond).String())
	if p.run.Count >= 1000 {
		require.LessOrEqual(p.t, p99, lag)
	}
	for what, from := range map[string]string{
		"gifts settled": `donation WHERE status = 'settled'`,
		"receipts":      `receipt`,
	} {
		require.Equal(p.t, p.gifts, p.count(from), what)
	}
}
