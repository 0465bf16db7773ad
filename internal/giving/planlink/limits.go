package planlink

import (
	"time"

	"konbit/internal/platform/guard"
)

// Limits of what a person without a session can do with links. An address is a client's IP address, a network its /24
// or /48.
var (
	GuessesPerAddress = guard.Limit{Max: 10, Window: time.Hour} // of codes
	GuessesPerNetwork = guard.Limit{Max: 60, Window: time.Hour}
	FreshPerDonor     = guard.Limit{Max: 3, Window: time.Hour}      // emails with a valid link
	FreshPerDonorDay  = guard.Limit{Max: 6, Window: 24 * time.Hour} // strangers may keep a link that has ended
	FreshPerNetwork   = guard.Limit{Max: 20, Window: time.Hour}
)
