package stripefake_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"

	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/short"
)

// standInState names the state file of a stand-in that runs in a process of its own.
const standInState = "KONBIT_TEST_STANDIN_STATE"

// TestStandInProcess is not a test: TestSurvivesSIGKILL runs it as a process, which serves until it is killed.
func TestStandInProcess(t *testing.T) {
	path := os.Getenv(standInState)
	if path == "" {
		return
	}
	server, err := stripefake.New(stripefake.Options{StatePath: path, Seed: 7, Accounts: []stripefake.Account{{Name: "tsne", SecretKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("address " + httptest.NewServer(server).URL)
	time.Sleep(time.Minute) // the process is killed before
}

// killable is a stand-in in a process of its own.
type killable struct {
	t   *testing.T
	cmd *exec.Cmd
	url string
	api *client.API
}

func startProcess(t *testing.T, state string) *killable {
	t.Helper()
	k := &killable{t: t, cmd: exec.Command(os.Args[0], "-test.run=^TestStandInProcess$")}
	k.cmd.Env = append(os.Environ(), standInState+"="+state)
	out, err := k.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	k.cmd.Stderr = os.Stderr
	if err := k.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.kill)
	lines := bufio.NewReader(out)
	for k.url == "" {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the process ended: %v", err)
		}
		if address, found := strings.CutPrefix(strings.TrimSpace(line), "address "); found {
			k.url = address
		}
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	k.api = (&fake{t: t, url: k.url}).client(key, 0)
	return k
}

// kill ends the process as `kill -9` does.
func (k *killable) kill() {
	if k.cmd.ProcessState == nil {
		_ = k.cmd.Process.Signal(syscall.SIGKILL)
		_ = k.cmd.Wait()
	}
}

// answered is what a stand-in told a client: ids that it made, and what was paid.
type answered struct {
	mu       sync.Mutex
	ids      map[string]int      // how often each id was made
	sessions map[string]string   // by idempotency key
	paid     map[string]struct{} // sessions
}

func (a *answered) made(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ids[id]++
}

// donate makes sessions and pays them until the stand-in does not answer, and notes what was answered.
func (k *killable) donate(a *answered, prefix string) {
	browser := &http.Client{Timeout: 5 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for i := 0; ; i++ {
		p, idempotencyKey := gift(), fmt.Sprintf("%s/%d", prefix, i)
		p.SetIdempotencyKey(idempotencyKey)
		cs, err := k.api.CheckoutSessions.New(p)
		if err != nil {
			return
		}
		a.made(cs.ID)
		a.mu.Lock()
		a.sessions[idempotencyKey] = cs.ID
		a.mu.Unlock()
		res, err := browser.PostForm(k.url+"/c/pay/"+cs.ID, cardForm("4242424242424242"))
		if err != nil {
			return
		}
		_, err = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusSeeOther {
			return
		}
		a.mu.Lock()
		a.paid[cs.ID] = struct{}{}
		a.mu.Unlock()
	}
}

// TestSurvivesSIGKILL kills the stand-in with SIGKILL while donors pay, several times. Nothing that it answered is lost,
// no id is used twice, and a request that is sent again gets the answer of before.
func TestSurvivesSIGKILL(t *testing.T) {
	short.Skip(t, "processes")
	state := filepath.Join(t.TempDir(), "stripe.json")
	a := &answered{ids: map[string]int{}, sessions: map[string]string{}, paid: map[string]struct{}{}}
	for round := range 5 {
		k := startProcess(t, state)
		var donors sync.WaitGroup
		for donor := range 4 {
			donors.Go(func() { k.donate(a, fmt.Sprintf("%d/%d", round, donor)) })
		}
		time.Sleep(200*time.Millisecond + rand.N(300*time.Millisecond))
		k.kill()
		donors.Wait()
	}
	if len(a.paid) < 10 {
		t.Fatalf("only %d payments were answered", len(a.paid))
	}
	k := startProcess(t, state)
	charges := map[string]bool{}
	for it := k.api.Charges.List(&stripe.ChargeListParams{ListParams: stripe.ListParams{Limit: stripe.Int64(100)}}); it.Next(); {
		if id := it.Charge().ID; charges[id] {
			t.Errorf("two charges are called %s", id)
		} else {
			charges[id] = true
		}
	}
	if len(charges) < len(a.paid) {
		t.Errorf("%d payments were answered, %d charges are known", len(a.paid), len(charges))
	}
	of := map[string]string{} // sessions by charge
	for id := range a.paid {
		p := &stripe.CheckoutSessionParams{}
		p.AddExpand("payment_intent.latest_charge.balance_transaction")
		cs, err := k.api.CheckoutSessions.Get(id, p)
		if err != nil || cs.PaymentStatus != "paid" || cs.PaymentIntent.LatestCharge == nil || cs.PaymentIntent.LatestCharge.BalanceTransaction == nil {
			t.Errorf("the payment of %s is lost: %+v %v", id, cs, err)
			continue
		}
		charge := cs.PaymentIntent.LatestCharge.ID
		if of[charge] != "" || !charges[charge] {
			t.Errorf("charge %s of %s belongs to %q", charge, id, of[charge])
		}
		of[charge] = id
	}
	for idempotencyKey, id := range a.sessions {
		if a.ids[id] != 1 {
			t.Errorf("the id %s was given %d times", id, a.ids[id])
		}
		p := gift()
		p.SetIdempotencyKey(idempotencyKey)
		if again, err := k.api.CheckoutSessions.New(p); err != nil || again.ID != id {
			t.Errorf("the answer to %s was forgotten: %v %v", idempotencyKey, again, err)
		}
	}
	events := map[string]bool{}
	for it := k.api.Events.List(&stripe.EventListParams{ListParams: stripe.ListParams{Limit: stripe.Int64(100)}}); it.Next(); {
		if events[it.Event().ID] {
			t.Errorf("two events are called %s", it.Event().ID)
		}
		events[it.Event().ID] = true
	}
	if len(events) < 4*len(a.paid) {
		t.Errorf("%d events of %d payments", len(events), len(a.paid))
	}
	t.Logf("%d payments answered, %d charges, %d events, after 5 kills", len(a.paid), len(charges), len(events))
}

// TestJournalHoldsTheWholeState compares the state that journals alone restore with the state in memory, after every kind
// of change that a subscription, a dispute, a payout and the clock make.
func TestJournalHoldsTheWholeState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stripe.json")
	o := stripefake.Options{Now: at("2027-01-31T10:00:00Z"), StatePath: path, Accounts: []stripefake.Account{{Name: "tsne", SecretKey: key}}}
	g := begin(t, o, "4000000000000341")
	g.paid("4000000000000259") // disputed
	paid := g.paid("4242424242424242")
	for range 9 {
		g.paid("4242424242424242")
	}
	g.panel("dispute", `{"payment_intent":"`+g.session(paid.ID).PaymentIntent.ID+`"}`)
	if _, err := g.ReplaceCard(g.now().Customer.ID, stripefake.GoodCard); err != nil {
		t.Fatal(err)
	}
	keyed := gift()
	keyed.SetIdempotencyKey("don_1")
	g.open(keyed)
	g.Advance(2 * month)
	g.panel("payout", `{"account":"tsne"}`)

	before := state(t, path)
	number := journalOf(t, path)
	// What a killed process leaves: the files as they are now, here with a line that was cut.
	killed := filepath.Join(t.TempDir(), "stripe.json")
	journal := read(t, fmt.Sprintf("%s.%d.log", path, number))
	write(t, killed, read(t, path))
	write(t, fmt.Sprintf("%s.%d.log", killed, number), append(journal, journal[:40]...))
	o.StatePath = killed
	again := start(t, o)
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	whole, restored := state(t, path), state(t, killed)
	if whole == before {
		t.Error("the journal was empty")
	}
	if whole != restored {
		at := 0
		for at < min(len(whole), len(restored)) && whole[at] == restored[at] {
			at++
		}
		from := max(0, at-200)
		t.Errorf("in memory:\n…%.400s\nby the journal:\n…%.400s", whole[from:], restored[from:])
	}

	write(t, killed+".bad", read(t, path))
	write(t, fmt.Sprintf("%s.bad.%d.log", killed, journalOf(t, path)), []byte("{\n"+string(journal)))
	o.StatePath = killed + ".bad"
	if _, err := stripefake.New(o); err == nil {
		t.Error("a damaged journal was read")
	}
}

// TestAFullDiskLosesNothing: a call whose change cannot be written fails, its repetition with the same key gets the answer,
// and the journal is read again without a half line.
func TestAFullDiskLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stripe.json")
	o := stripefake.Options{StatePath: path, Accounts: []stripefake.Account{{Name: "tsne", SecretKey: key}}}
	f := start(t, o)
	donate := func(idempotencyKey string) (id string, err error) {
		p := gift()
		p.SetIdempotencyKey(idempotencyKey)
		cs, err := f.api.CheckoutSessions.New(p)
		if err != nil {
			return "", err
		}
		return cs.ID, nil
	}
	free := f.FillDisk()
	for _, idempotencyKey := range []string{"don_1", "don_2"} {
		if _, err := donate(idempotencyKey); err == nil {
			t.Fatalf("%s was answered and not stored", idempotencyKey)
		}
	}
	free()
	answered := map[string]string{}
	for _, idempotencyKey := range []string{"don_2", "don_3", "don_1"} {
		id, err := donate(idempotencyKey)
		if err != nil {
			t.Fatal(err)
		}
		answered[idempotencyKey] = id
	}
	killed := filepath.Join(t.TempDir(), "stripe.json") // with the files as a killed process leaves them
	write(t, killed, read(t, path))
	number := journalOf(t, path)
	write(t, fmt.Sprintf("%s.%d.log", killed, number), read(t, fmt.Sprintf("%s.%d.log", path, number)))
	o.StatePath = killed
	f = start(t, o)
	for idempotencyKey, id := range answered {
		if again, err := donate(idempotencyKey); err != nil || again != id {
			t.Errorf("%s: %s, it was %s: %v", idempotencyKey, again, id, err)
		}
	}
}

var variable = regexp.MustCompile(`"(Serial|Journal)":\d+,?`)

// state returns the snapshot without what each start changes.
func state(t *testing.T, path string) string {
	t.Helper()
	return variable.ReplaceAllString(string(read(t, path)), "")
}

func journalOf(t *testing.T, path string) uint64 {
	t.Helper()
	var snapshot struct{ Journal uint64 }
	if err := json.Unmarshal(read(t, path), &snapshot); err != nil {
		t.Fatal(err)
	}
	return snapshot.Journal
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return raw
}

func write(t *testing.T, path string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}
