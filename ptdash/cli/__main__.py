from ptdash.cli import main

main()
