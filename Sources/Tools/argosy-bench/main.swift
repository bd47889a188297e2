print("argosy-bench")
