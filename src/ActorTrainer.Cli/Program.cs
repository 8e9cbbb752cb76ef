using ActorTrainer.Cli;

return await CliProgram.RunAsync(args, CliContext.ForProcess());
