using ActorTrainer.Runtime.Workers.Guard;
using ActorTrainer.Testing.WorkerApp;

return args switch
{
    [GuardProgram.Verb, ..] => await GuardProgram.RunAsync(args),
    ["worker", ..] => ScriptedWorker.Run(),
    _ => 64,
};
