#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

/* Says how many primes are below a number, and on what machine it was counted. */
int main(int count, char **words) {
    long limit = count > 1 ? strtol(words[1], NULL, 10) : 100, found = 0;
    for (long number = 2; number < limit; number++) {
        long divisor = 2;
        while (divisor * divisor <= number && number % divisor != 0) divisor++;
        found += divisor * divisor > number;
    }
    struct utsname machine;
    if (uname(&machine) != 0) return 1;
    printf("%ld primes below %ld, counted on %s\n", found, limit, machine.machine);
    return 0;
}
