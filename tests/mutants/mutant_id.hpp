// Which mutant of the RTL is on; 0: none.
extern unsigned jogak_mutant;
