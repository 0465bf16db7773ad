package web

import (
	"net"
	"net/http"
	"slices"
	"strings"

	"konbit/internal/view"
)

// officeAreas are what the office's host serves: the office, and the committee's pages.
var officeAreas = []string{"/office", "/committee"}

// onBothHosts are the addresses that the host of the office and that of donors both serve: assets, and what operators and
// robots ask for.
var onBothHosts = []string{"/healthz", "/readyz", securityTextPath, robotsPath}

// hosts lets each host serve its own pages, if the office has a host of its own: that of the office serves no page of donors,
// and every other host none of the office. The other one's pages are as if they did not exist.
func (k *Kernel) hosts(next http.Handler) http.Handler {
	if k.OfficeURL == nil {
		return next
	}
	notFound := k.wrap(Page, func(http.ResponseWriter, *http.Request) error { return NotFound() })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		onOffice := sameHost(r.Host, k.OfficeURL.Host)
		switch {
		case strings.HasPrefix(path, view.StaticPath), slices.Contains(onBothHosts, path):
		case onOffice && path == "/":
			http.Redirect(w, r, officeAreas[0], http.StatusSeeOther)
			return
		case onOffice != isOffice(path):
			notFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// servesOffice reports whether a request is for a page of the office, at a host that has them.
func (k *Kernel) servesOffice(r *http.Request) bool {
	return isOffice(r.URL.Path) && (k.OfficeURL == nil || sameHost(r.Host, k.OfficeURL.Host))
}

func isOffice(path string) bool {
	return slices.ContainsFunc(officeAreas, func(area string) bool { return path == area || strings.HasPrefix(path, area+"/") })
}

// sameHost compares hosts with their ports; the standard ports are left out.
func sameHost(a, b string) bool {
	without := func(host string) string {
		if name, port, err := net.SplitHostPort(host); err == nil && (port == "80" || port == "443") {
			return name
		}
		return host
	}
	return strings.EqualFold(without(a), without(b))
}
