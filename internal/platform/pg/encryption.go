package pg

import (
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// CheckEncryption reports an error if the address of a database on another machine does not say how the connection is
// encrypted. mode is what PGSSLMODE says for addresses without sslmode. The error does not repeat the address, which
// contains a password.
func CheckEncryption(address, mode string) error {
	host, mode := remote(address, mode)
	if host == "" || slices.Contains([]string{"verify-full", "verify-ca", "require", "disable"}, mode) { // the others fall back
		return nil
	}
	return errors.New("does not say how the connection to " + host + " is encrypted: add sslmode=verify-full, and sslrootcert=FILE if " +
		"its certificate is of your own authority; or sslmode=disable if the network to it is yours alone")
}

// Unverified returns a warning about the address of a database on another machine whose certificate is not verified,
// because the address says so; empty if there is none.
func Unverified(address string) string {
	host, mode := remote(address, "")
	if host == "" || mode != "require" && mode != "disable" {
		return ""
	}
	return "with sslmode=" + mode + ", another machine in the network can pose as " + host + ": sslmode=verify-full prevents it"
}

// remote returns the first host in a database's address that is another machine, with the address's sslmode; empty if
// there is none.
func remote(address, standard string) (host, mode string) {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return "", ""
	}
	query := u.Query()
	if mode = query.Get("sslmode"); mode == "" {
		mode = standard
	}
	names := strings.Split(u.Hostname()+","+query.Get("host")+","+query.Get("hostaddr"), ",")
	i := slices.IndexFunc(names, func(name string) bool { return !IsThisMachine(name) })
	if i < 0 {
		return "", ""
	}
	return names[i], mode
}

// IsThisMachine reports whether a host is the loopback interface or a Unix socket; an empty one is the driver's
// standard, which is one of them.
func IsThisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || host == "localhost" || strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || err == nil && ip.IsLoopback()
}
