using System.Diagnostics;
using System.Text.Json;
using ActorTrainer.Training;

namespace ActorTrainer.Testing.WorkerApp;

/// <summary>
/// Prints what its process is like, then does five steps. Settings, all optional: <c>child</c> (starts <c>sleep</c> with that argument
/// twice, once in a session of its own, and leaves them), <c>exit</c> (the exit code after the third step), <c>crash</c> (kills its own
/// process after the third step), <c>endless</c> (steps without end).
/// </summary>
internal sealed class ProbeTrainer : ITrainer
{
    private readonly long[] _step = new long[1];
    private JsonElement _settings;

    public ValueTask InitializeAsync(TrainerContext context, CancellationToken cancellationToken)
    {
        _settings = context.Settings ?? JsonDocument.Parse("{}").RootElement;
        Console.WriteLine($"task {context.TaskName} in {Environment.CurrentDirectory}");
        foreach (string name in Environment.GetEnvironmentVariables().Keys.Cast<string>().Order(StringComparer.Ordinal))
        {
            Console.WriteLine($"managed {name}={Environment.GetEnvironmentVariable(name)}");
            Console.WriteLine($"native {name}={NativeEnvironment.Get(name)}");
        }

        if (_settings.TryGetProperty("child", out JsonElement seconds))
        {
            using Process shell = Process.Start(
                "/bin/sh",
                ["-c", $"setsid sleep {seconds.GetString()} & (env -i setsid sleep {seconds.GetString()} &)"]
            );
            shell.WaitForExit();
        }

        return ValueTask.CompletedTask;
    }

    public async ValueTask<StepResult> StepAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellationToken);
        _step[0]++;
        if (_step[0] == 3 && _settings.TryGetProperty("exit", out JsonElement code))
        {
            Environment.Exit(code.GetInt32());
        }

        if (_step[0] == 3 && _settings.TryGetProperty("crash", out _))
        {
            Process.GetCurrentProcess().Kill();
        }

        return new StepResult(_step[0], 5, 0, EndOfEpoch: false, Done: _step[0] == 5 && !_settings.TryGetProperty("endless", out _));
    }

    public ValueTask SaveAsync(CheckpointWriter writer, CancellationToken cancellationToken)
    {
        writer.WriteTensor("step", _step);
        return ValueTask.CompletedTask;
    }

    public ValueTask LoadAsync(CheckpointReader reader, CancellationToken cancellationToken)
    {
        reader.ReadTensor("step", _step);
        Console.WriteLine($"restored step {_step[0]}");
        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyDictionary<string, double>> EvaluateAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyDictionary<string, double>>(new Dictionary<string, double>());
}
