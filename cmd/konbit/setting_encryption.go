package main

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// checkEncryption refuses settings by which the program would speak unencrypted with another machine although nobody
// decided so (OWASP ASVS 5.0.0 V12.2.1, V12.3.1, V12.3.2).
func (r *reader) checkEncryption(c Config, needs []need) {
	if slices.Contains(needs, needOwn) && c.BaseURL != nil && c.BaseURL.Scheme == "http" && !isThisMachine(c.BaseURL.Hostname()) && c.StripeAPIURL == "" {
		r.wrong("BASE_URL", fmt.Sprintf("is %s: donors' pages need https; a proxy before the server terminates TLS", c.BaseURL))
	}
	for n, address := range map[need]string{needDatabase: c.DatabaseURL, needOwner: c.DatabaseOwnerURL} {
		host, mode := r.remoteDatabase(address)
		if slices.Contains(needs, n) && host != "" && !slices.Contains(explicitModes, mode) {
			r.wrong(string(n), fmt.Sprintf("does not say how the connection to %s is encrypted: add sslmode=verify-full, and "+
				"sslrootcert=FILE if its certificate is of your own authority; or sslmode=disable if the network to it is yours alone", host))
		}
	}
}

// explicitModes are the values of sslmode that do what they say. The others (allow, prefer) fall back.
var explicitModes = []string{"verify-full", "verify-ca", "require", "disable"}

// unverified returns a warning for each connection whose other end nothing verifies, because a setting says so.
func (c Config) unverified() (all []string) {
	r := &reader{env: map[string]string{}}
	if host, mode := r.remoteDatabase(c.DatabaseURL); host != "" && (mode == "require" || mode == "disable") {
		all = append(all, fmt.Sprintf("DATABASE_URL: with sslmode=%s, another machine in the network can pose as %s: sslmode=verify-full prevents it", mode, host))
	}
	if host, _, err := net.SplitHostPort(c.MetricsAddr); err == nil && !isThisMachine(host) {
		all = append(all, "METRICS_ADDR: metrics and profiles are served without encryption and password to other machines: only in a network of your own")
	}
	return all
}

// remoteDatabase returns the first host in a database's address that is another machine, with the address's sslmode;
// empty if there is none.
func (r *reader) remoteDatabase(address string) (host, mode string) {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return "", ""
	}
	query := u.Query()
	if mode = query.Get("sslmode"); mode == "" {
		mode = r.env["PGSSLMODE"]
	}
	names := strings.Split(u.Hostname()+","+query.Get("host")+","+query.Get("hostaddr"), ",")
	i := slices.IndexFunc(names, func(name string) bool { return !isThisMachine(name) })
	if i < 0 {
		return "", ""
	}
	return names[i], mode
}

// isThisMachine reports whether a host is the loopback interface or a Unix socket; an empty one is the driver's
// default, which is one of them.
func isThisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || host == "localhost" || strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || err == nil && ip.IsLoopback()
}
