package today

// History is how far the stand-in has told the history of the demo.
type History struct {
	State string `json:"state"` // none, making, telling or told
	Steps int    `json:"steps"`
	Done  int    `json:"done"`

	Events    int `json:"events"`
	Delivered int `json:"delivered"`
}

// Percent returns how much of the history is told.
func (h History) Percent() int {
	switch {
	case h.State == "making" && h.Steps > 0:
		return 50 * h.Done / h.Steps
	case h.State == "telling" && h.Events > 0:
		return 50 + 50*h.Delivered/h.Events
	}
	return 0
}
