internal import WhittleCommands

WhittleProcess.enterNamespacesIfNeeded()
await WhittleProcess.run()
