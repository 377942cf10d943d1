"""Pictures and videos that clients send: analysed in processes of their own, never in the one that watches."""
