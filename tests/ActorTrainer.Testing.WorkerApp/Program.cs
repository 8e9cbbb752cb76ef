using ActorTrainer.Runtime;
using ActorTrainer.Runtime.Workers.Guard;
using ActorTrainer.Testing.WorkerApp;

return args switch
{
    [GuardProgram.Verb, ..] => await GuardProgram.RunAsync(args),
    ["worker", ..] => ScriptedWorker.Run(),
    // A program that a host would write: it runs trainers of its own.
    ["real", .. string[] rest] => await RunAsync(rest),
    // One that has something to say before.
    ["loud", .. string[] rest] => await RunAsync(rest, "a banner of the program"),
    // One whose workers do not come up.
    ["broken", GuardProgram.Verb, .. string[] rest] => await GuardProgram.RunAsync(rest),
    _ => 64,
};

static async Task<int> RunAsync(string[] args, string? banner = null)
{
    if (banner is not null && args is ["worker", ..])
    {
        Console.WriteLine(banner);
    }

    return await ActorTrainerWorker.TryRunAsync(args) ? Environment.ExitCode : 64;
}
