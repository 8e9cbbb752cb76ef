using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ActorTrainer.Runtime;
using ActorTrainer.Samples.Digits;
using ActorTrainer.Training;

// Started by a node, this program trains as its worker.
if (await ActorTrainerWorker.TryRunAsync(args))
{
    return;
}

// Started by hand, it trains alone: the same trainer, no node, no checkpoints.
JsonObject settings = [];
for (int i = 0; i < args.Length; i++)
{
    string name = args[i];
    bool known =
        name is "--seed" or "--hidden" or "--epochs" or "--batch-size" or "--views" or "--dropout" or "--learning-rate" or "--data";
    if (name == "--quick")
    {
        settings["quick"] = true;
    }
    else if (known && i + 1 < args.Length)
    {
        settings[name[2..]] = args[++i];
    }
    else
    {
        Console.Error.WriteLine(
            $"digits: '{name}' {(known ? "needs a value" : "is no option")}. Options: "
                + "--seed N --hidden N --epochs N --batch-size N --views N "
                + "--dropout X --learning-rate X --data FILE --quick"
        );
        Environment.ExitCode = 2;
        return;
    }
}

using JsonDocument document = JsonDocument.Parse(settings.ToJsonString());
TrainerContext context = new("digits", Environment.CurrentDirectory, document.RootElement);
DigitsTrainer trainer = new();
try
{
    await trainer.InitializeAsync(context, CancellationToken.None);
}
catch (Exception problem) when (problem is TrainerSettingsException or IOException)
{
    Console.Error.WriteLine($"digits: {problem.Message}");
    Environment.ExitCode = 2;
    return;
}

Stopwatch watch = Stopwatch.StartNew();
StepResult step;
do
{
    step = await trainer.StepAsync(CancellationToken.None);
    if (step.EndOfEpoch)
    {
        IReadOnlyDictionary<string, double> metrics = await trainer.EvaluateAsync(CancellationToken.None);
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"epoch {step.Epoch, 3}  step {step.Step}/{step.TotalSteps}  loss {step.Metrics!["loss"]:F4}  "
                    + $"accuracy {metrics["accuracy"]:P1}  {watch.Elapsed.TotalSeconds:F1} s"
            )
        );
    }
} while (!step.Done);

foreach ((string name, string value) in context.Results)
{
    Console.WriteLine($"{name} {value}");
}
