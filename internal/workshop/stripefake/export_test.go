package stripefake

import "errors"

// FillDisk has the journal write only half of what it is given, and then fail, until the function that it returns is
// called.
func (s *Server) FillDisk() (free func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	whole := s.journal.file
	s.journal.file = fullDisk{whole}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.journal.file = whole
	}
}

type fullDisk struct{ journalFile }

func (d fullDisk) WriteAt(line []byte, offset int64) (int, error) {
	n, err := d.journalFile.WriteAt(line[:len(line)/2], offset)
	return n, errors.Join(err, errors.New("no space left on device"))
}

// MajorUnits is how reports write amounts.
var MajorUnits = majorUnits
