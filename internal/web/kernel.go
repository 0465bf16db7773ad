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
	"konbit/internal/people/donoraccess"
	"konbit/internal/people/staff"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/keyring"
	"konbit/internal/platform/phrase"
	"konbit/internal/platform/securitylog"
	"konbit/internal/view"
)

// Kernel is what all areas share. Its fields are set before Handler is called, and do not change afterwards.
type Kernel struct {
	DB           *sqlx.DB // of donors' pages
	StaffDB      *sqlx.DB // of pages of staff
	View         *view.View
	Catalog      *fund.CatalogCache
	StaffCatalog *fund.CatalogCache // the same, read with StaffDB
	Access       donoraccess.Service
	Staff        staff.Service
	Guard        *guard.Guard                    // counts for the limits of routes
	Security     *securitylog.Log                // nil: nothing is recorded
	Ready        func(ctx context.Context) error // returns nil if the program can serve requests
	BaseURL      *url.URL
	OfficeURL    *url.URL          // the office's own host; nil: it is on that of BaseURL
	Pages        []string          // origins of payment pages, for the Content-Security-Policy
	Languages    []phrase.Language // languages with a complete catalogue
	Keys         keyring.Ring      // sign cookies and links
	Demo         bool              // serves /_styleguide
	// SecurityContact is the email address in security.txt; empty: the addresses of the legal entities.
	SecurityContact string
	Now             func() time.Time // the business clock, which a stand-in for Stripe can move
	Wall            func() time.Time // the machine's clock: links and forms age by it
	// Shown returns a moment that the machine or the database measured, as the business clock shows it.
	Shown func(at time.Time) time.Time
	NewID func() uuid.UUID
	Log   *slog.Logger
	// TrustedProxies are our own proxies: only their X-Forwarded-For is used. If empty, the peer of a connection is the
	// client.
	TrustedProxies []netip.Prefix
	// Observe is called after every response with the pattern of its route; may be nil.
	Observe func(method, route string, status int, took time.Duration)
	// Areas are the packages that bring routes.
	Areas []Area
}

// Area is a part of the site that brings its own routes.
type Area interface{ Routes() []Route }

// HTTP returns a server for h whose limits keep slow and large requests from occupying it.
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

// Absolute returns the address of path on the site at base. It never uses a request's Host header.
func Absolute(base *url.URL, path string) string {
	return strings.TrimSuffix(base.String(), "/") + path
}
