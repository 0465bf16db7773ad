package bankfile

import "konbit/internal/books/ledger"

// Decision says which lines of a file are stored already.
type Decision struct {
	New     []Line // to be stored; Nth is set
	Known   []Line // stored already; Nth is that of the stored line
	Pending []Line // to be shown, never stored
	Doubts  []Doubt
}

// Doubt is a line about which a person may know more than the rule. It is among New or among Known.
type Doubt struct {
	Line Line
	Kind string // OtherText or OtherID
	Like Line   // the stored line
}

// The kinds of doubts.
const (
	// OtherText: a new line has the day and the amount of a stored line that the file lacks. Banks change texts, and the same
	// bank writes another text in another format.
	OtherText = "other_text"
	// OtherID: a line counts as known, and its bank id is neither that of its stored line nor of another one. If the file
	// covers only a part of the day, the line may be a second one.
	OtherID = "other_id"
)

// same is what makes lines equal. Ids are no part of it: banks repeat and change them.
type same struct {
	day    ledger.Date
	amount int64
	text   string
}

func sameOf(l Line) same { return same{l.BookedOn, l.Amount, l.Text} }

// Compare decides which lines of a file are new. known are the stored lines of the account, at least those of the file's days;
// file are the lines of the account in one file, of all its statements.
//
// Per day, amount and text, as many lines are stored as any one file had at most. So two equal gifts of a day are two, a second
// download adds none, and a line posted late into a day that was read before is added. Of equal lines, those whose bank id is
// stored are paired with it, and the lines that are left are the new ones: the id chooses which, never how many.
func Compare(known, file []Line) Decision {
	var d Decision
	stored := map[same][]Line{}
	for _, line := range known {
		stored[sameOf(line)] = append(stored[sameOf(line)], line)
	}
	read := map[same][]int{}
	for i, line := range file {
		if line.Pending {
			d.Pending = append(d.Pending, line)
			continue
		}
		read[sameOf(line)] = append(read[sameOf(line)], i)
	}
	partner := map[int]Line{} // by index in file
	for key, indexes := range read {
		pair(file, indexes, stored[key], partner)
	}
	next := map[same]int{}
	for i, line := range file {
		if line.Pending {
			continue
		}
		key := sameOf(line)
		if like, paired := partner[i]; paired {
			line.Nth = like.Nth
			d.Known = append(d.Known, line)
			if line.BankID != "" && like.BankID != "" && line.BankID != like.BankID && !hasID(stored[key], line.BankID) {
				d.Doubts = append(d.Doubts, Doubt{Line: line, Kind: OtherID, Like: like})
			}
			continue
		}
		if next[key] == 0 {
			next[key] = highest(stored[key])
		}
		next[key]++
		line.Nth = next[key]
		d.New = append(d.New, line)
	}
	d.Doubts = append(d.Doubts, otherTexts(known, read, d.New)...)
	return d
}

// pair gives each stored line at most one of the equal lines of a file: first those with the same bank id, then the others in
// their order.
func pair(file []Line, indexes []int, stored []Line, partner map[int]Line) {
	used := make([]bool, len(stored))
	ids := map[string][]int{} // stored lines by bank id
	for n, line := range stored {
		ids[line.BankID] = append(ids[line.BankID], n)
	}
	for _, i := range indexes {
		if same := ids[file[i].BankID]; file[i].BankID != "" && len(same) > 0 {
			partner[i], used[same[0]], ids[file[i].BankID] = stored[same[0]], true, same[1:]
		}
	}
	n := 0
	for _, i := range indexes {
		if _, paired := partner[i]; paired {
			continue
		}
		for n < len(stored) && used[n] {
			n++
		}
		if n == len(stored) {
			return
		}
		partner[i], used[n] = stored[n], true
	}
}

func hasID(lines []Line, id string) bool {
	for _, line := range lines {
		if line.BankID == id {
			return true
		}
	}
	return false
}

// highest returns the highest number of equal stored lines; their count if they have no numbers.
func highest(lines []Line) int {
	n := len(lines)
	for _, line := range lines {
		n = max(n, line.Nth)
	}
	return n
}

// otherTexts finds new lines that have the day and the amount of a stored line of which the file has no equal.
func otherTexts(known []Line, read map[same][]int, lines []Line) (doubts []Doubt) {
	type dayAmount struct {
		day    ledger.Date
		amount int64
	}
	missing := map[dayAmount][]Line{}
	for _, line := range known {
		if len(read[sameOf(line)]) == 0 {
			key := dayAmount{line.BookedOn, line.Amount}
			missing[key] = append(missing[key], line)
		}
	}
	for _, line := range lines {
		key := dayAmount{line.BookedOn, line.Amount}
		if like := missing[key]; len(like) > 0 {
			doubts, missing[key] = append(doubts, Doubt{Line: line, Kind: OtherText, Like: like[0]}), like[1:]
		}
	}
	return doubts
}
