package planlink

import (
	"net/netip"
	"time"

	"konbit/internal/platform/guard"
)

// Limits of what a person without a session can do with links. An address is a client's IP address, a network its /24
// or /48.
var (
	GuessesPerAddress = guard.Limit{Max: 10, Window: time.Hour} // of codes
	GuessesPerNetwork = guard.Limit{Max: 60, Window: time.Hour}
	SolvedPerAddress  = guard.Limit{Max: 40, Window: time.Hour} // of codes, beyond these two, after a challenge
	SolvedPerNetwork  = guard.Limit{Max: 200, Window: time.Hour}
	FreshPerDonor     = guard.Limit{Max: 3, Window: time.Hour}      // emails with a valid link
	FreshPerDonorDay  = guard.Limit{Max: 6, Window: 24 * time.Hour} // strangers may keep a link that has ended
	FreshPerNetwork   = guard.Limit{Max: 20, Window: time.Hour}
	FreshKnown        = guard.Limit{Max: 3, Window: time.Hour} // of the donor's known browsers
	// Beyond the limits of a donor each network still gets an email from time to time, until the last of these is reached.
	FreshMorePerNetwork = guard.Limit{Max: 1, Window: time.Hour}
	FreshAllPerDonorDay = guard.Limit{Max: 20, Window: 24 * time.Hour} // without those of known browsers
)

// Guess returns a typed code as the guard judges it. Beyond the limits, which people behind one address share, there is a
// challenge. Codes have 50 bits, so no limit over all networks is needed, which strangers could use up.
func Guess(from netip.Addr, code string) guard.Act {
	return guard.Act{
		Name: "plan codes", Address: from, Input: code,
		Free: [][]guard.Quota{{
			{Kind: "plan code from", Subject: guard.AddressKey(from), Limit: GuessesPerAddress},
			{Kind: "plan code network", Subject: guard.NetworkKey(from), Limit: GuessesPerNetwork},
		}},
		Solved: [][]guard.Quota{{
			{Kind: "plan code solved from", Subject: guard.AddressKey(from), Limit: SolvedPerAddress},
			{Kind: "plan code solved network", Subject: guard.NetworkKey(from), Limit: SolvedPerNetwork},
		}},
	}
}

// FreshLimits returns the limits of an email with a valid link in place of l; an attempt counts under the first that it
// does not exceed. known is true if the browser is known for the plan's address. A person with a link that ended uses
// up the limit of strangers, but not the limits of the donor's known browsers, nor, from time to time, those of other
// networks.
func (l Link) FreshLimits(from netip.Addr, known bool) (ways [][]guard.Quota) {
	donor, network := l.DonorID.String(), guard.NetworkKey(from)
	if known {
		ways = append(ways, []guard.Quota{{Kind: "plan link known to", Subject: donor, Limit: FreshKnown}})
	}
	each := guard.Quota{Kind: "plan link from", Subject: network, Limit: FreshPerNetwork}
	all := guard.Quota{Kind: "plan link all to", Subject: donor, Limit: FreshAllPerDonorDay}
	return append(ways,
		[]guard.Quota{
			each, all,
			{Kind: "plan link to", Subject: donor, Limit: FreshPerDonor},
			{Kind: "plan link a day to", Subject: donor, Limit: FreshPerDonorDay},
		},
		[]guard.Quota{each, all, {Kind: "plan link more from to", Subject: network + " " + donor, Limit: FreshMorePerNetwork}})
}
