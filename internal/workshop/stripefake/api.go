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
	pattern  string   // in the syntax of net/http's ServeMux
	accepted []string // parameters, in the syntax of params.check
	do       func(*call) (any, error)
}

// call is one API request that is being processed. The caller holds the lock.
type call struct {
	transaction
	r *http.Request
	p params
}

func (c *call) id() string { return c.r.PathValue("id") }

// Call records one API request, for tests that count requests.
type Call struct {
	Account  string
	Method   string
	Path     string
	Key      string // idempotency key
	Params   url.Values
	Status   int // 0 if a fault of the plan left the request without an answer
	Replayed bool
}

// routes registers the API, the hosted pages and the panel.
func (s *Server) routes() {
	s.api, s.mux = http.NewServeMux(), http.NewServeMux()
	for _, group := range [][]route{checkoutRoutes, customerRoutes, paymentRoutes, balanceRoutes, refundRoutes,
		disputeRoutes, payoutRoutes, eventRoutes, accountRoutes,
		priceRoutes, methodRoutes, subscriptionRoutes, scheduleRoutes, invoiceRoutes, portalRoutes, portalSettingRoutes} {
		for _, rt := range group {
			s.api.HandleFunc(rt.pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, rt) })
		}
	}
	s.mux.HandleFunc("/v1/", s.serveAPI)
	s.pages()
	s.panel()
}

// ServeHTTP serves the API, the hosted pages and the panel.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

const maxBody = 1 << 20

// serveAPI routes by method and path. A request without a route gets Stripe's 404.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if _, pattern := s.api.Handler(r); pattern == "" {
		s.serve(w, r, route{do: func(*call) (any, error) {
			e := invalid("", "", "Unrecognized request URL ("+r.Method+": "+r.URL.Path+"). Please see https://stripe.com/docs "+
				"or we can help at https://support.stripe.com/.")
			e.status = http.StatusNotFound
			return nil, e
		}})
		return
	}
	s.api.ServeHTTP(w, r)
}

// serve processes an API request: it authenticates, then perform does the work and finish records the call.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, rt route) {
	err := parseForm(r)
	c := &call{r: r, p: readParams(r.Form)}
	s.mu.Lock()
	s.lastHost = "http://" + r.Host
	s.runDue(s.now())
	c.transaction = *s.newTransaction(nil)
	c.now = s.timeOf(r)
	c.request = s.newID("req_", 14)
	c.key = r.Header.Get("Idempotency-Key")
	rec := Call{Method: r.Method, Path: r.URL.Path, Key: c.key, Params: maps.Clone(r.Form)}
	c.a, err = s.authenticateCall(r, err)
	if err != nil {
		s.finish(w, c, rec, failure(err, c.request), nil)
		return
	}
	rec.Account = c.a.Name
	s.perform(w, c, rec, rt)
}

// parseForm reads the query of the URL and the body. net/http does not read the body of a DELETE, so
// parseForm does.
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

// perform does the work of an authenticated call once. The caller holds the lock; perform releases it.
func (s *Server) perform(w http.ResponseWriter, c *call, rec Call, rt route) {
	slot, replay, err := s.claim(c)
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
		s.unlock()
		closed := false
		select {
		case <-time.After(s.opts.AnswerDelay):
		case <-s.closing:
			closed = true
		}
		s.mu.Lock()
		c.now = s.timeOf(c.r)
		if closed {
			s.finish(w, c, rec, nil, slot)
			return
		}
	}
	fault := s.drawFault(rec)
	if !fault.effect {
		s.finish(w, c, rec, fault.answer(c.request, slot), slot)
		return
	}
	a := run(c, rt)
	if a.save {
		slot.store(a)
	}
	if fault.kind != "" {
		a = fault.answer(c.request, slot)
	}
	s.finish(w, c, rec, a, slot)
}

// run checks the parameters, does the work and marshals its answer under the lock. It recovers from a panic,
// so that a bug in the stand-in fails one call and does not leave the lock held.
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
	return &answer{Status: http.StatusOK, Body: body, Request: c.request, save: true}
}

// failure returns the answer for an error. An error that is not Stripe's is a bug of the stand-in, and the
// message says so.
func failure(err error, request string) *answer {
	var e *apiError
	if !errors.As(err, &e) {
		e = &apiError{status: http.StatusInternalServerError, kind: "api_error", message: "the stand-in failed: " + err.Error()}
	}
	body, _ := json.MarshalIndent(e.body(request), "", "  ") // strings and objects marshal
	return &answer{Status: e.status, Body: body, Request: request, save: e.storable()}
}

// finish records the call, releases the lock and writes the answer. If a is nil, it cuts the connection
// without an answer.
func (s *Server) finish(w http.ResponseWriter, c *call, rec Call, a *answer, slot *idempotencySlot) {
	slot.abandon(s)
	if a != nil {
		rec.Status = a.Status
	}
	s.calls = append(s.calls, rec)
	now := s.now()
	if err := s.recordAndUnlock(); err != nil && a != nil {
		a = failure(fmt.Errorf("the change is not stored yet: %w", err), c.request)
	}
	if a == nil {
		panic(http.ErrAbortHandler) // net/http cuts the connection
	}
	if a.hang > 0 {
		select {
		case <-c.r.Context().Done():
		case <-time.After(a.hang):
		case <-s.closing:
		}
		panic(http.ErrAbortHandler)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Date", now.UTC().Format(http.TimeFormat))
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

// authenticateCall returns the account of the bearer or basic key. The caller holds the lock.
func (s *Server) authenticateCall(r *http.Request, err error) (*account, error) {
	if err != nil {
		return nil, invalid("", "", "The request's form cannot be read: "+err.Error())
	}
	key, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		key, _, _ = r.BasicAuth()
	}
	switch {
	case key == "":
		return nil, unauthorized("You did not provide an API key. You need to provide your API key in the Authorization " +
			"header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').")
	case !strings.HasPrefix(key, "sk_test_") || len(key) == len("sk_test_"):
		return nil, unauthorized("Invalid API Key provided: " + key[:min(8, len(key))] + "****. The stand-in takes sk_test_ keys only.")
	}
	return s.accountFor(key, ""), nil
}

// Calls returns the API requests received, oldest first. With a method and a path ("POST", "/v1/refunds") it
// returns only those.
func (s *Server) Calls(methodAndPath ...string) []Call {
	s.mu.Lock()
	defer s.unlock()
	calls := slices.Clone(s.calls)
	if len(methodAndPath) == 2 {
		calls = slices.DeleteFunc(calls, func(c Call) bool { return c.Method != methodAndPath[0] || c.Path != methodAndPath[1] })
	}
	return calls
}

// ForgetCalls deletes the recorded calls.
func (s *Server) ForgetCalls() {
	s.mu.Lock()
	defer s.unlock()
	s.calls = nil
}
