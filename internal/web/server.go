package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/recurring"
	"konbit/internal/office/privacy"
	"konbit/internal/office/statement"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/phrase"
	"konbit/internal/processor/stripepay"
	"konbit/internal/view"
)

// Server is the web side of Konbit. All fields are set before Handler is called.
type Server struct {
	DB         *sqlx.DB
	View       *view.View
	Catalog    *fund.CatalogCache
	Starter    donation.Starter
	Plans      recurring.Plans
	Inbox      *stripepay.Inbox
	Guard      *guard.Guard
	Access     donoraccess.Service
	Statements statement.Issuer
	Privacy    privacy.Eraser
	Ready      func(ctx context.Context) error // nil: able to serve
	BaseURL    *url.URL
	Pages      []string          // origins of payment pages, for the Content-Security-Policy
	Languages  []phrase.Language // whose words are written
	Secret     []byte            // signs the cookie that lets a donor find what they typed
	Demo       bool              // shows /_styleguide
	Now        func() time.Time  // the business clock, which a stand-in for Stripe can move
	Wall       func() time.Time  // the machine's clock: the age of links and of forms
	NewID      func() uuid.UUID
	Log        *slog.Logger
	// TrustedProxies are our own, whose word on a client's address is taken. None: a connection's peer is the client.
	TrustedProxies []netip.Prefix
	// Observe is told of every answer, by the pattern of its route; nil: nobody is.
	Observe func(method, route string, status int, took time.Duration)

	forms formCache
}

// HTTP is a server for h whose limits keep slow and large requests from holding it up.
func HTTP(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 2 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       90 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// Links answers where a payment page returns to: the page after payment, and the form with what was typed.
func Links(base *url.URL) func(org, ref string, lang phrase.Language) (success, back string) {
	return func(org, ref string, lang phrase.Language) (string, string) {
		root := strings.TrimSuffix(base.String(), "/")
		return root + thanksPath(org, ref, lang), root + againPath(org, ref, lang)
	}
}

func givePath(org string, lang phrase.Language) string {
	return "/give/" + url.PathEscape(org) + "?lang=" + url.QueryEscape(string(lang))
}

func thanksPath(org, ref string, lang phrase.Language) string {
	return "/give/" + url.PathEscape(org) + "/thanks?lang=" + url.QueryEscape(string(lang)) + "&gift=" + url.QueryEscape(ref)
}

func againPath(org, ref string, lang phrase.Language) string {
	return givePath(org, lang) + "&again=" + url.QueryEscape(ref)
}
