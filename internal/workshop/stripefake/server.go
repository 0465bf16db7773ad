package stripefake

import (
	"container/heap"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Account is one legal entity's account at Stripe.
type Account struct {
	Name           string
	Title          string   // shown to payers; empty: Name
	SecretKey      string   // sk_test_…
	WebhookURL     string   // empty: no endpoint until one is created by the API
	WebhookSecrets []string // whsec_…; each signs, as at Stripe during the rotation of a secret
	Bank           Bank     // to which payouts go; zero: one with an invented number
}

// Bank is an account at a bank.
type Bank struct {
	Slug   string // by which GET /_sandbox/bank finds it, besides the account's name
	Number string
}

// Fee is the processing fee of a card payment: basis points of the amount, rounded half up, and a fixed part in minor
// units.
type Fee struct{ BasisPoints, Fixed int64 }

// Options contains the server's options. Zero values are the defaults.
type Options struct {
	Now         func() time.Time // the base of the movable clock
	Wall        func() time.Time // dates signatures
	Seed        uint64           // of ids and of random faults; 0: a random seed
	StatePath   string           // file of the state, with its journals beside it (journal.go); empty: memory only
	Accounts    []Account
	PublicURL   string // base of the hosted pages; empty: the host of the request
	Logger      *slog.Logger
	Fee         Fee           // zero: 290 basis points and 30
	AnswerDelay time.Duration // before each API answer
	Hang        time.Duration // how long the fault "timeout" holds a connection; zero: 30 s

	InvoicesAtOnce bool   // finalise and pay a renewal's invoice at the renewal, not an hour later as at Stripe
	AfterRetries   string // status of a subscription after the last failed retry: canceled (default), unpaid or past_due
}

// Server is the stand-in. It is an http.Handler for the API (/v1/…), the hosted pages (/c/…) and the panel
// (/_sandbox/…), and safe for concurrent use.
type Server struct {
	opts    Options
	log     *slog.Logger
	api     *http.ServeMux
	mux     *http.ServeMux
	sender  *sender
	stop    context.CancelFunc
	closing <-chan struct{} // closed by Close: ends hanging calls
	done    sync.WaitGroup

	mu       sync.Mutex // guards the fields below; released by unlock, which writes the journal
	seed     uint64
	chance   *mathrand.Rand
	serial   uint64
	offset   time.Duration
	public   string
	lastHost string // host of the last API request
	accounts []*account
	due      schedule
	faults   Faults
	calls    []Call
	inFlight map[string]bool // idempotency keys in progress, by account and key
	history  *history        // nil: none was begun
	dirty    bool            // something changed since the lock was taken
	journal  journal
}

// New starts a stand-in with the state of StatePath, if that file exists. The caller must call Close. It reports an
// error if the state file cannot be read.
func New(o Options) (*Server, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wall == nil {
		o.Wall = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Fee == (Fee{}) {
		o.Fee = Fee{BasisPoints: 290, Fixed: 30}
	}
	if o.Hang == 0 {
		o.Hang = 30 * time.Second
	}
	for o.Seed == 0 {
		var b [8]byte
		_, _ = rand.Read(b[:]) // documented never to fail
		o.Seed = binary.BigEndian.Uint64(b[:])
	}
	s := &Server{opts: o, log: o.Logger, seed: o.Seed, public: o.PublicURL, inFlight: map[string]bool{}}
	s.chance = mathrand.New(mathrand.NewPCG(o.Seed, 1))
	s.sender = newSender(s)
	if err := s.load(); err != nil {
		return nil, err
	}
	for _, a := range o.Accounts {
		s.AddAccount(a)
	}
	if err := s.save(); err != nil {
		return nil, err
	}
	s.routes()
	ctx, cancel := context.WithCancel(context.Background())
	s.stop, s.closing = cancel, ctx.Done()
	s.sender.start(ctx)
	s.done.Go(func() { s.runClock(ctx) })
	return s, nil
}

// Close stops deliveries and the clock, ends hanging calls, and writes the state. Events that were not delivered are
// delivered after the next New.
func (s *Server) Close() error {
	s.stop()
	s.sender.close()
	s.done.Wait()
	err := s.save()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal.file != nil {
		err = errors.Join(err, s.journal.file.Close())
		s.journal.file = nil
	}
	return err
}

// SetPublicURL sets the base of the hosted pages, when the listener's address is known.
func (s *Server) SetPublicURL(base string) {
	s.mu.Lock()
	defer s.unlock()
	s.public = strings.TrimSuffix(base, "/")
}

// base returns the base address of the hosted pages.
func (s *Server) base() string { return or(s.public, s.lastHost) }

// AddAccount adds an account, or updates the webhook address and secrets of the account with the same key.
func (s *Server) AddAccount(a Account) {
	s.mu.Lock()
	defer s.unlock()
	s.configure(s.accountFor(a.SecretKey, a.Name), a)
}

// accountFor returns the account of a secret key. It creates a missing account under name or, if that is
// empty, under the part of the key after "sk_test_".
func (s *Server) accountFor(key, name string) *account {
	for _, a := range s.accounts {
		if a.SecretKey == key {
			return a
		}
	}
	if name == "" {
		name = strings.TrimPrefix(key, "sk_test_")
	}
	a := newAccount(Account{Name: name, SecretKey: key}, s.newID("acct_", 16))
	if s.opts.StatePath != "" {
		a.handed = newHandedOut()
	}
	s.accounts = append(s.accounts, a)
	s.dirty = true
	return a
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newID returns prefix and n characters derived from the seed and a counter, so that a run can be repeated and every id
// is unique, also after a restart.
func (s *Server) newID(prefix string, n int) string {
	s.serial++
	id := []byte(prefix)
	for block := 0; len(id) < len(prefix)+n; block++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d/%d/%d/%s", s.seed, s.serial, block, prefix))
		for _, b := range sum {
			id = append(id, base62[int(b)%len(base62)])
		}
	}
	return string(id[:len(prefix)+n])
}

// transaction is one change of an account at one time: a call, a payment, a task of the schedule. The caller
// holds the lock.
type transaction struct {
	s       *Server
	a       *account
	now     int64
	request string // id of the causing API request, or ""
	key     string // its idempotency key, or ""
}

func (s *Server) newTransaction(a *account) *transaction {
	return &transaction{s: s, a: a, now: s.now().Unix()}
}

// new stores a new object with the fields that every object has.
func (t *transaction) new(kind, prefix string, fields object) object {
	o := object{"id": t.s.newID(prefix, 24), "object": kind, "created": t.now, "livemode": false, "metadata": object{}}
	return t.a.put(o.with(fields))
}

// schedule adds a task to the schedule.
func (t *transaction) schedule(at int64, what, id string) {
	t.s.serial++
	task := scheduledTask{At: at, Sequence: t.s.serial, Account: t.a.SecretKey, What: what, ID: id}
	heap.Push(&t.s.due, task)
	if t.s.journal.file != nil {
		t.s.journal.pushed = append(t.s.journal.pushed, task)
	}
}
