using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Environments;
using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Workers;

/// <content>
/// The environments that commands ask for: looked for, or made once and kept. The guard makes one under the name of the run that needs it
/// first, into that run's output: a cancel, a node that stops, and one that dies end that as they end a run.
/// </content>
internal sealed partial class WorkerHost
{
    private static readonly TimeSpan SweepEnvironmentsEvery = TimeSpan.FromHours(1);

    private readonly EnvironmentStore _environments;
    private Task _sweeping = Task.CompletedTask;

    /// <summary>Puts the environment that a run's task asks for into the variables of its process.</summary>
    /// <exception cref="UnpreparedException">It cannot be had.</exception>
    /// <exception cref="OperationCanceledException">The run is asked to stop, or is no more.</exception>
    private async Task UseEnvironmentAsync(WorkerRun run, SortedDictionary<string, string> variables, string folder)
    {
        TaskSpec spec = run.Effect.Spec;
        EnvironmentSpec wanted = spec.NodeEnvironment!;
        string? python = wanted.Venv is null ? null : EnvironmentFiles.PythonOf(wanted.Venv);
        if (wanted is { Requirements: null, Setup: null })
        {
            EnvironmentCommands.Apply(variables, wanted, kept: null);
            return;
        }

        string? requirements = EnvironmentFiles.ReadRequirements(spec, folder);
        string problem = "";
        python ??= WorkerEnvironment.FindExecutable("python3", folder, variables.GetValueOrDefault("PATH"), out problem);
        if (python is null && requirements is not null)
        {
            throw new UnpreparedException(problem, nodeUnfit: true);
        }

        string interpreter = python is null ? "" : await ProbeAsync(run, python, requirements is not null, variables, folder);
        string hash = EnvironmentKey.Compute(spec, interpreter, requirements);
        string kept = _environments.FolderOf(hash);
        SortedDictionary<string, string> making = new(variables, StringComparer.Ordinal);
        EnvironmentCommands.Apply(making, wanted, kept);
        string what = EnvironmentCommands.Describe(wanted);
        try
        {
            run.Environment = await _environments.UseAsync(
                hash,
                async () =>
                {
                    TellPreparing(run, what);
                    string at = await FolderToMakeInAsync(run, folder, kept, requirements);
                    string? file = wanted.Requirements is { } relative ? Path.Combine(at, relative) : null;
                    await MakeAsync(run, EnvironmentCommands.Make(wanted, python ?? "", file), making, at);
                },
                () => TellPreparing(run, $"{what}, which another run on this node does already"),
                run.Stopping.Token
            );
        }
        finally
        {
            // One more may be one too many, and what failed has left its files.
            Enqueue(SweepEnvironments);
        }

        EnvironmentCommands.Apply(variables, wanted, kept);
    }

    /// <summary>Path and version of a Python; that it does not say them is the node's fault.</summary>
    private async Task<string> ProbeAsync(
        WorkerRun run,
        string python,
        bool makesVenv,
        SortedDictionary<string, string> variables,
        string folder
    )
    {
        PreparedStart probe = new(python, EnvironmentCommands.Probe(python, makesVenv), variables, folder, LogDirectory: null, 0);
        GuardExited ended = await RunStepAsync(run, probe, isLong: false);
        return ended.ExitCode == 0 && EnvironmentCommands.ReadProbe(ended.LastLines) is { } said
            ? said
            : throw new UnpreparedException(EnvironmentCommands.ProbeFailure(python, makesVenv, ended.LastLines), nodeUnfit: true);
    }

    /// <summary>
    /// A setup, and requirements that name files, are made where the files stay: what is installed in place leads there, and the working
    /// directory of the run goes with it.
    /// </summary>
    private async Task<string> FolderToMakeInAsync(WorkerRun run, string folder, string kept, string? requirements)
    {
        TaskSpec spec = run.Effect.Spec;
        if (spec.WorkingDirectory is not null || !EnvironmentKey.ReadsFiles(spec, requirements))
        {
            return folder;
        }

        string copy = Directory.CreateDirectory(Path.Combine(kept, "bundle")).FullName;
        return await WorkFolder.FillAsync(spec, copy, _options.Bundles, run.Stopping.Token) is { } unfilled
            ? throw new UnpreparedException(unfilled)
            : copy;
    }

    private async Task MakeAsync(WorkerRun run, IReadOnlyList<string> command, SortedDictionary<string, string> variables, string folder)
    {
        PreparedStart start = new(command[0], command, variables, folder, _directories.Of(run.Key), _options.Worker.LogMaxBytes);
        GuardExited ended = await RunStepAsync(run, start, isLong: true);
        if (ended.ExitCode != 0)
        {
            throw new UnpreparedException(EnvironmentCommands.Failure(ended.ExitCode, ended.Signal, ended.LastLines))
            {
                LastLines = ended.LastLines,
            };
        }
    }

    private void TellPreparing(WorkerRun run, string what) =>
        Enqueue(() =>
        {
            if (_runs.GetValueOrDefault(run.Name) == run)
            {
                _post(new WorkerPreparing(run.Key, what));
            }
        });

    private async Task<GuardExited> RunStepAsync(WorkerRun run, PreparedStart start, bool isLong)
    {
        RunStep step = new(isLong);
        Enqueue(() =>
        {
            if (run.StopGrace is not null || _runs.GetValueOrDefault(run.Name) != run)
            {
                step.Ended.SetCanceled();
                return;
            }

            run.Step = step;
            SendStart(run, start);
        });
        GuardExited ended = await step.Ended.Task;
        run.Stopping.Token.ThrowIfCancellationRequested();
        return ended;
    }

    /// <summary>Whether the message is about what is run before a run's own process.</summary>
    private bool OnGuardMessageOfStep(GuardMessage message)
    {
        string? name = message switch
        {
            GuardStarted m => m.Run,
            GuardStartFailed m => m.Run,
            GuardExited m => m.Run,
            _ => null,
        };
        if (name is null || _runs.GetValueOrDefault(name) is not { Step: { } step } run)
        {
            return false;
        }

        if (message is GuardStarted started)
        {
            run.Pid = started.Pid;
            if (step.IsLong && _options.Worker.Nice != 0)
            {
                run.Guard?.Send(new GuardNice(run.Name, _options.Worker.Nice));
            }

            return true;
        }

        run.Step = null;
        run.Guard = null;
        run.Pid = 0;
        if (message is GuardExited exited)
        {
            step.Ended.SetResult(exited);
        }
        else
        {
            step.Ended.SetException(new UnpreparedException(((GuardStartFailed)message).Detail, nodeUnfit: true));
        }

        return true;
    }

    /// <summary>One sweep at a time, each in the host's loop or before it runs.</summary>
    private void SweepEnvironments() =>
        _sweeping = _sweeping.ContinueWith(
            _ => SweepEnvironmentsNow(),
            CancellationToken.None,
            TaskContinuationOptions.None,
            TaskScheduler.Default
        );

    private void SweepEnvironmentsNow()
    {
        try
        {
            _environments.Sweep();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotSwept(e.Message);
        }
    }

    private void SweepEnvironmentsFromTimeToTime()
    {
        SweepEnvironments();
        After(SweepEnvironmentsEvery, SweepEnvironmentsFromTimeToTime);
    }
}
