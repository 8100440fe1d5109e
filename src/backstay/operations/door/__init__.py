"""The door: the HTTP server in front of Django.

    connections   what one client sends: a request, read within limits
    threads       what answers it: Django in a fixed number of threads
    loop          who waits for whom: sockets, deadlines, probes
    processes     several of them on one port, replaced when they die

One thread waits for all sockets. It reads a request whole, body and all, before a thread is taken,
so a client that is slow costs memory and no thread.
"""
