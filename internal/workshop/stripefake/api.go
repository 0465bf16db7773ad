package stripefake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// route is one endpoint of the API.
type route struct {
	pattern  string   // as net/http's ServeMux reads it
	accepted []string // parameters, as params.check reads them
	do       func(*call) (any, error)
}

// call is one API request at work. The lock is held.
type call struct {
	transaction
	r *http.Request
	p params
}

func (c *call) id() string { return c.r.PathValue("id") }

// Call is a record of one request, for tests that count.
type Call struct {
	Account  string
	Method   string
	Path     string
	Key      string // its idempotency key
	Params   url.Values
	Status   int // 0 when the fault plan left it without an answer
	Replayed bool
}

// routes lays out the API, the hosted pages and the panel.
func (s *Server) routes() {
	s.api, s.mux = http.NewServeMux(), http.NewServeMux()
	for _, group := range [][]route{checkoutRoutes, customerRoutes, paymentRoutes, balanceRoutes, refundRoutes, disputeRoutes, payoutRoutes, eventRoutes, accountRoutes,
		priceRoutes, methodRoutes, subscriptionRoutes, scheduleRoutes, invoiceRoutes, portalRoutes, portalSettingRoutes} {
		for _, rt := range group {
			s.api.HandleFunc(rt.pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, rt) })
		}
	}
	s.mux.HandleFunc("/v1/", s.serveAPI)
	s.pages()
	s.panel()
}

// ServeHTTP answers the API, the hosted pages and the panel.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

const maxBody = 1 << 20

// serveAPI routes by method and path; what no route takes is Stripe's 404.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if _, pattern := s.api.Handler(r); pattern == "" {
		s.serve(w, r, route{do: func(*call) (any, error) {
			e := invalid("", "", "Unrecognized request URL ("+r.Method+": "+r.URL.Path+"). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.")
			e.status = http.StatusNotFound
			return nil, e
		}})
		return
	}
	s.api.ServeHTTP(w, r)
}

// serve is the life of an API request: who, how often already, what may go wrong today, the work, the record.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, rt route) {
	err := parseForm(r)
	c := &call{r: r, p: readParams(r.Form)}
	s.mu.Lock()
	s.seen = "http://" + r.Host
	s.runDue(s.now())
	c.transaction = *s.act(nil)
	c.request = s.newID("req_", 14)
	c.key = r.Header.Get("Idempotency-Key")
	rec := Call{Method: r.Method, Path: r.URL.Path, Key: c.key, Params: maps.Clone(r.Form)}
	c.a, err = s.whoCalls(r, err)
	if err != nil {
		s.finish(w, c, rec, failure(err, c.request), nil)
		return
	}
	rec.Account = c.a.Name
	s.perform(w, c, rec, rt)
}

// parseForm reads the address's query and the body, a DELETE's too, which net/http leaves alone.
func parseForm(r *http.Request) error {
	if err := r.ParseForm(); err != nil || r.Method != http.MethodDelete {
		return err
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	body, err := url.ParseQuery(string(raw))
	for key, values := range body {
		r.Form[key] = append(r.Form[key], values...)
	}
	return err
}

// perform does the work of an authenticated call once. It is entered with the lock held and leaves without it.
func (s *Server) perform(w http.ResponseWriter, c *call, rec Call, rt route) {
	seat, replay, err := s.claim(c)
	if err != nil {
		s.finish(w, c, rec, failure(err, c.request), nil)
		return
	}
	if replay != nil {
		rec.Replayed = true
		s.finish(w, c, rec, replay, nil)
		return
	}
	if s.opts.AnswerDelay > 0 {
		s.mu.Unlock()
		closed := false
		select {
		case <-time.After(s.opts.AnswerDelay):
		case <-s.over:
			closed = true
		}
		s.mu.Lock()
		c.now = s.now().Unix()
		if closed {
			s.finish(w, c, rec, nil, seat)
			return
		}
	}
	fault := s.drawFault(rec)
	if !fault.effect {
		s.finish(w, c, rec, fault.answer(c.request, seat), seat)
		return
	}
	a := run(c, rt)
	if a.keep {
		seat.store(a)
	}
	if fault.kind != "" {
		a = fault.answer(c.request, seat)
	}
	s.finish(w, c, rec, a, seat)
}

// run checks the parameters, does the work and marshals its answer under the lock. A mistake of ours that panics is
// one failed call, not a lock held for ever.
func run(c *call, rt route) (a *answer) {
	defer func() {
		if r := recover(); r != nil {
			c.s.log.Error("stand-in: panic", "path", c.r.URL.Path, "panic", r, "stack", string(debug.Stack()))
			a = failure(fmt.Errorf("panic: %v", r), c.request)
		}
	}()
	var result any
	var err error
	if rt.pattern != "" {
		err = c.p.check(slices.Concat(rt.accepted, []string{"expand.*"}))
	}
	if err == nil {
		result, err = rt.do(c)
	}
	if err == nil {
		result, err = c.expand(result)
	}
	if err != nil {
		return failure(err, c.request)
	}
	body, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		return failure(err, c.request)
	}
	if c.r.Method != http.MethodGet {
		c.s.dirty = true
	}
	return &answer{Status: http.StatusOK, Body: body, Request: c.request, keep: true}
}

// failure is an error as an answer; one that is not Stripe's is our own mistake and says so.
func failure(err error, request string) *answer {
	var e *apiError
	if !errors.As(err, &e) {
		e = &apiError{status: http.StatusInternalServerError, kind: "api_error", message: "the stand-in failed: " + err.Error()}
	}
	body, _ := json.MarshalIndent(e.body(request), "", "  ") // strings and objects marshal
	return &answer{Status: e.status, Body: body, Request: request, keep: e.kept()}
}

// finish records the call, gives the lock back and writes the answer; a nil answer is none at all.
func (s *Server) finish(w http.ResponseWriter, c *call, rec Call, a *answer, seat *idempotencySlot) {
	seat.abandon(s)
	if a != nil {
		rec.Status = a.Status
	}
	s.calls = append(s.calls, rec)
	s.mu.Unlock()
	if a == nil {
		panic(http.ErrAbortHandler) // net/http's way to cut a connection
	}
	if a.hang > 0 {
		select {
		case <-c.r.Context().Done():
		case <-time.After(a.hang):
		case <-s.over:
		}
		panic(http.ErrAbortHandler)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Request-Id", c.request)
	h.Set("Stripe-Version", APIVersion)
	h.Set("Cache-Control", "no-store")
	if c.key != "" {
		h.Set("Idempotency-Key", c.key)
		h.Set("Original-Request", a.Request)
	}
	if rec.Replayed {
		h.Set("Idempotent-Replayed", "true")
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body)
}

// whoCalls finds the account of the bearer or basic key. The lock is held.
func (s *Server) whoCalls(r *http.Request, err error) (*account, error) {
	if err != nil {
		return nil, invalid("", "", "The request's form cannot be read: "+err.Error())
	}
	key, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		key, _, _ = r.BasicAuth()
	}
	switch {
	case key == "":
		return nil, unauthorized("You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').")
	case !strings.HasPrefix(key, "sk_test_") || len(key) == len("sk_test_"):
		return nil, unauthorized("Invalid API Key provided: " + key[:min(8, len(key))] + "****. The stand-in takes sk_test_ keys only.")
	}
	return s.accountFor(key, ""), nil
}

// Calls returns the API requests seen, oldest first; with a method and path ("POST", "/v1/refunds"), those alone.
func (s *Server) Calls(methodAndPath ...string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := slices.Clone(s.calls)
	if len(methodAndPath) == 2 {
		calls = slices.DeleteFunc(calls, func(c Call) bool { return c.Method != methodAndPath[0] || c.Path != methodAndPath[1] })
	}
	return calls
}

// ForgetCalls starts the count afresh.
func (s *Server) ForgetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = nil
}
