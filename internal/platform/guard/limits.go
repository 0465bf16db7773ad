package guard

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Limit allows at most Max in any Window. The zero Limit allows everything.
type Limit struct {
	Max    int
	Window time.Duration
}

// IsOff reports whether nothing is limited.
func (l Limit) IsOff() bool { return l.Max == 0 }

// times returns a limit of n times as many in the same window.
func (l Limit) times(n int) Limit { return Limit{l.Max * n, l.Window} }

func (l Limit) String() string {
	if l.IsOff() {
		return "off"
	}
	return strconv.Itoa(l.Max) + "/" + formatDuration(l.Window)
}

// Limits are the settings of a guard. Those of an address, a network, of one email address, of a page and of the site,
// which strangers could use up for others, refuse nobody: above them the challenge is required. Challenges solved from one
// address or in one network have limits that follow from these. Address, Network and Email do not hold for a known
// browser: all those of one mailbox have as many attempts as Email of their own.
type Limits struct {
	Address      Limit         // attempts; above it the challenge
	Network      Limit         // attempts; above it a hard challenge
	Email        Limit         // attempts with one email address; above it the challenge; of one network: refused
	Page         Limit         // attempts that passed; above it that page requires the challenge
	Failures     Limit         // on the whole site; above it every page requires the challenge
	PageFailures Limit         // on one page; above it that page requires the challenge
	NoJSWaits    Limit         // challenges of one page passed by waiting, without JavaScript; above it one from each network, others wait
	MinFillTime  time.Duration // a form submitted sooner or never shown is challenged; 0: off
}

// Standard returns the limits of an installation that sets none.
func Standard() Limits {
	return Limits{
		Address: Limit{5, 10 * time.Minute}, Network: Limit{30, 10 * time.Minute}, Email: Limit{5, time.Hour},
		Page: Limit{600, 10 * time.Minute}, Failures: Limit{20, 10 * time.Minute}, PageFailures: Limit{10, 10 * time.Minute},
		NoJSWaits: Limit{30, 10 * time.Minute}, MinFillTime: 3 * time.Second,
	}
}

// Bounds of what can be set. A slice of the shortest window is still a second.
const (
	shortestWindow = windowSlices * time.Second
	longestWindow  = 24 * time.Hour
)

// ParseLimits reads GIVE_LIMITS: words of the form name=COUNT/WINDOW or name=off, in any order, for the names
// address, network, email, page, failures, page_failures and no_js_waits, and min_fill_time=DURATION or
// min_fill_time=off. Durations are written as 90s, 10m, 1h. A limit that is not named has its standard value.
func ParseLimits(text string) (Limits, error) {
	l := Standard()
	seen := map[string]bool{}
	for _, word := range strings.Fields(text) {
		name, value, _ := strings.Cut(word, "=")
		name = cmp.Or(renamedLimits[name], name)
		if seen[name] {
			return Limits{}, fmt.Errorf("%s is set twice", name)
		}
		seen[name] = true
		if err := l.set(name, value); err != nil {
			return Limits{}, fmt.Errorf("%q: %w", word, err)
		}
	}
	return l, nil
}

// renamedLimits maps names that ParseLimits still accepts to the names that replaced them.
var renamedLimits = map[string]string{"waits": "no_js_waits", "shown": "min_fill_time"}

// OldLimitNames returns the old names in text with the names that replaced them. They are accepted for one more
// release.
func OldLimitNames(text string) map[string]string {
	old := map[string]string{}
	for _, word := range strings.Fields(text) {
		name, _, _ := strings.Cut(word, "=")
		if renamed := renamedLimits[name]; renamed != "" {
			old[name] = renamed
		}
	}
	return old
}

func (l *Limits) set(name, value string) (err error) {
	if name == "min_fill_time" {
		if l.MinFillTime = 0; value != "off" {
			l.MinFillTime, err = time.ParseDuration(value)
		}
		if err != nil || l.MinFillTime < 0 || l.MinFillTime > time.Minute {
			return fmt.Errorf("want a duration of at most a minute, such as min_fill_time=3s, or min_fill_time=off")
		}
		return nil
	}
	field := l.named()[name]
	if field == nil {
		return fmt.Errorf("want one of address, network, email, page, failures, page_failures, no_js_waits, min_fill_time")
	}
	if *field = (Limit{}); value == "off" {
		return nil
	}
	most, window, _ := strings.Cut(value, "/")
	if field.Max, err = strconv.Atoi(most); err == nil {
		field.Window, err = time.ParseDuration(window)
	}
	if err != nil || field.Max < 1 || field.Max > 1_000_000 || field.Window < shortestWindow || field.Window > longestWindow {
		return fmt.Errorf("want a count and a window from %s to %s, such as %s=5/10m, or %[3]s=off",
			formatDuration(shortestWindow), formatDuration(longestWindow), name)
	}
	return nil
}

func (l *Limits) named() map[string]*Limit {
	return map[string]*Limit{
		"address": &l.Address, "network": &l.Network, "email": &l.Email, "page": &l.Page,
		"failures": &l.Failures, "page_failures": &l.PageFailures, "no_js_waits": &l.NoJSWaits,
	}
}

// formatDuration writes 10m0s as 10m.
func formatDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
