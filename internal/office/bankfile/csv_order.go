package bankfile

import "slices"

// order puts the lines of a file oldest first. Banks write them oldest or newest first, and the lines of one day in either
// order; the balances beside them show which. Without balances, the dates do.
func (a *csvAccount) order(newestFirst bool) {
	days := make([]Line, len(a.lines))
	for i, l := range a.lines {
		days[i] = l.line
	}
	if oldestFirst(days, newestFirst) {
		a.reversed = true
		slices.Reverse(a.lines)
	}
	best, _ := gaps(a.lines)
	if len(best) == 0 {
		return
	}
	other := slices.Clone(a.lines)
	for i := 0; i < len(other); {
		end := i + 1
		for end < len(other) && other[end].line.BookedOn == other[i].line.BookedOn {
			end++
		}
		slices.Reverse(other[i:end])
		i = end
	}
	if broken, _ := gaps(other); len(broken) < len(best) {
		a.lines = other
	}
}

// gaps returns the lines whose balance is not the balance before plus the lines since, and the first difference.
func gaps(lines []csvLine) (broken []int, first int64) {
	var balance *int64
	var since int64
	for i, l := range lines {
		if l.line.Pending {
			continue
		}
		since += l.line.Amount
		if l.balance == nil {
			continue
		}
		if balance != nil && *balance+since != *l.balance {
			if broken = append(broken, i); len(broken) == 1 {
				first = *balance + since - *l.balance
			}
		}
		balance, since = l.balance, 0
	}
	return broken, first
}
