package stripefake

import (
	"container/heap"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
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
	Title          string   // shown to payers; empty: the name
	SecretKey      string   // sk_test_…
	WebhookURL     string   // empty: no endpoint until one is made by API
	WebhookSecrets []string // whsec_…; each of them signs, as Stripe does while a secret is rotated
}

// Fee is what the processor keeps of a card payment: basis points, rounded half up, and a fixed part in minor units.
type Fee struct{ BasisPoints, Fixed int64 }

// Options are all optional.
type Options struct {
	Now         func() time.Time // the base of the movable clock
	Wall        func() time.Time // dates signatures
	Seed        uint64           // of ids and of chance; 0 draws one
	StatePath   string           // JSON kept between runs, replaced whole within a moment of each change; empty: memory only
	Accounts    []Account
	PublicURL   string // base of the hosted pages; empty: the host a request was sent to
	Logger      *slog.Logger
	Fee         Fee           // zero: 290 basis points and 30
	AnswerDelay time.Duration // before each API answer
	Hang        time.Duration // how long the fault "timeout" holds a connection; zero: 30 s

	InvoicesAtOnce bool   // a renewal's invoice is finalised and paid at the renewal, not an hour later as at Stripe
	AfterRetries   string // what becomes of a subscription whose invoice nobody could collect: "canceled" (also when empty), "unpaid" or "past_due"
}

// Server is the stand-in. It is an http.Handler for the API (/v1/…), the hosted pages (/c/…) and the panel
// (/_sandbox/…), and safe for concurrent use.
type Server struct {
	opts    Options
	log     *slog.Logger
	api     *http.ServeMux
	mux     *http.ServeMux
	courier *sender
	stop    context.CancelFunc
	over    <-chan struct{} // closed by Close: what hangs ends
	done    sync.WaitGroup

	mu       sync.Mutex // guards what follows; nothing waits while holding it
	seed     uint64
	chance   *mathrand.Rand
	serial   uint64
	offset   time.Duration
	public   string
	seen     string // where the last request of the API was sent to
	accounts []*account
	due      schedule
	faults   Faults
	calls    []Call
	inFlight map[string]bool // idempotency keys at work, by account and key
	dirty    bool
}

// New starts a stand-in, with the state of StatePath if that file exists. The caller owes it a Close.
// The error is about the state file only.
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
	s.courier = newSender(s)
	if err := s.load(); err != nil {
		return nil, err
	}
	for _, a := range o.Accounts {
		s.AddAccount(a)
	}
	s.routes()
	ctx, cancel := context.WithCancel(context.Background())
	s.stop, s.over = cancel, ctx.Done()
	s.courier.start(ctx)
	s.done.Go(func() { s.runClock(ctx) })
	return s, nil
}

// Close stops deliveries and the clock, cuts the calls that hang, and writes the state. What was not delivered is delivered after the next New.
func (s *Server) Close() error {
	s.stop()
	s.courier.close()
	s.done.Wait()
	return s.save()
}

// SetPublicURL names the base of the hosted pages once the listener is known.
func (s *Server) SetPublicURL(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.public = strings.TrimSuffix(base, "/")
}

// base is the address under which the hosted pages stand.
func (s *Server) base() string { return or(s.public, s.seen) }

// AddAccount makes an account known, or gives a known one (same key) its new webhook address and secrets.
func (s *Server) AddAccount(a Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.configure(s.accountFor(a.SecretKey, a.Name), a)
}

// accountFor returns the account of a secret key, made at first sight under name or, without one, under what follows
// "sk_test_".
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
	s.accounts = append(s.accounts, a)
	s.dirty = true
	return a
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newID returns prefix and n characters that follow from the seed and a count, so a run can be told again and no id
// is ever given twice, across restarts too.
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

// act is one thing that happens in an account at one moment: a call, a payment, a date reached. The lock is held.
type transaction struct {
	s       *Server
	a       *account
	now     int64
	request string // id of the API request that caused it, or ""
	key     string // its idempotency key, or ""
}

func (s *Server) act(a *account) *transaction { return &transaction{s: s, a: a, now: s.now().Unix()} }

// new shelves a fresh object with what every object has.
func (t *transaction) new(kind, prefix string, fields object) object {
	o := object{"id": t.s.newID(prefix, 24), "object": kind, "created": t.now, "livemode": false, "metadata": object{}}
	return t.a.put(o.with(fields))
}

// later puts a date in the agenda.
func (t *transaction) later(at int64, what, id string) {
	t.s.serial++
	heap.Push(&t.s.due, scheduledTask{At: at, Sequence: t.s.serial, Account: t.a.SecretKey, What: what, ID: id})
}
