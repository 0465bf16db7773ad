package app

import (
	"fmt"
	"net"

	"konbit/internal/platform/pg"
)

// CheckEncryption returns an error for each setting by which the program would speak unencrypted with another machine
// although nobody decided so (OWASP ASVS 5.0.0 V12.2.1, V12.3.1, V12.3.2), by the setting's name. ownerURL is
// DATABASE_OWNER_URL; sslmode is PGSSLMODE. A stand-in for Stripe makes an installation a trial: its pages need no https.
func (s Settings) CheckEncryption(ownerURL, sslmode string) map[string]error {
	wrong := map[string]error{}
	for name, address := range map[string]string{"DATABASE_URL": s.DatabaseURL, "DATABASE_OWNER_URL": ownerURL} {
		if err := pg.CheckEncryption(address, sslmode); err != nil {
			wrong[name] = err
		}
	}
	if s.BaseURL != nil && s.BaseURL.Scheme != "https" && !pg.IsThisMachine(s.BaseURL.Hostname()) && s.StripeAPIURL == "" {
		wrong["BASE_URL"] = fmt.Errorf("is %s: donors' pages need https; a proxy before the server terminates TLS", s.BaseURL)
	}
	return wrong
}

// Unverified returns a warning for each connection that another machine could read or answer, because of a setting.
// listenAddr is LISTEN_ADDR, metricsAddr is METRICS_ADDR; an empty host in listenAddr stands for all interfaces.
func (s Settings) Unverified(listenAddr, metricsAddr string) (all []string) {
	if warning := pg.Unverified(s.DatabaseURL); warning != "" {
		all = append(all, "DATABASE_URL: "+warning)
	}
	host, _, err := net.SplitHostPort(listenAddr)
	if err == nil && (host == "" || !pg.IsThisMachine(host)) && s.StripeAPIURL == "" {
		all = append(all, "LISTEN_ADDR: other machines reach the server without encryption; between the proxy and the server, "+
			"what donors type and their cookies are readable: 127.0.0.1 with the proxy on this machine, or an encrypted network between the two")
	}
	if host, _, err = net.SplitHostPort(metricsAddr); err == nil && !pg.IsThisMachine(host) {
		all = append(all, "METRICS_ADDR: metrics and profiles are served without encryption and password to other machines: only in a network of your own")
	}
	return all
}
