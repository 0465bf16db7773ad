package view

import "io"

// EventPage opens event mode on the device it is shown on. The pass stands behind the # of the link that leads here,
// which no server sees; a script puts it into the field, and where none runs somebody types it.
type EventPage struct {
	Frame
	Organisation Organisation
	Action       string // where it is posted, with the language in it
}

// Event writes the page that opens event mode.
func (v *View) Event(w io.Writer, p EventPage) error {
	return v.write(w, "event", p.Language, p)
}
